#: stdout same
#: stdout 1
#: stdout same
#: stdout 1
#: stdout same
#: stdout 1
#: stdout same
#: stdout 1
#: stdout same
#: stdout 1
# Names that SQLite or the shell would read otherwise are names like any other.
need_fashion
for name in 'a b#c?d.db' 'file:x.db?mode=memory' ':memory:' 'x%20y' '-x.db'; do
    mkdir folder && cd folder || exit 9
    bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 2 -t bias \
        --plan random:5 --json --out "$name" >a
    bitseer show --json -- "$name" >b
    bitseer resume --json -- "$name" >c
    python3 "$root/tests/cli/same_result.py" b c || exit 8
    rm a b c
    [ "$(echo *)" = "$name" ] && find . -type f | wc -l
    cd .. && rm -r folder
done
