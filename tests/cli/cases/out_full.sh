#: exit 1
#: stderr bitseer inspect: cannot write to standard output: No space left on device
#: stderr bitseer: cannot write to standard output: No space left on device
#: stderr bitseer inspect: cannot write '/dev/full': No space left on device
bitseer inspect "$demo" >/dev/full
bitseer --help >/dev/full
bitseer inspect "$demo" --out /dev/full
