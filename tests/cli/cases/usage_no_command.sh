#: exit 2
#: stderr bitseer: no command given, see bitseer --help
bitseer
