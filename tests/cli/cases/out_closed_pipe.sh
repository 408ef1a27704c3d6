#: stdout 1 0
#: stderr bitseer inspect: cannot write to standard output: Broken pipe
# The reader ends before the first line is written.
{
    sleep 0.3
    bitseer inspect "$demo"
} | true
echo "${PIPESTATUS[*]}"
