#: exit 1
#: stderr bitseer show: cannot make the folder 'no/pictures': No such file or directory
#: stderr bitseer show: cannot make the folder 'file': Not a directory
#: stderr bitseer show: cannot make the folder '': No such file or directory
#: stderr bitseer show: cannot write 'taken/layers.csv': Is a directory
#: stderr bitseer show: cannot open 'none.db': No such file or directory
# Nothing is printed then, and a database that is not there leaves no folder behind.
need_fashion
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 1 -t weight --plan random:1 \
    --out a.db >/dev/null
touch file
mkdir -p taken/layers.csv
bitseer show a.db --svg no/pictures
bitseer show a.db --svg file
bitseer show a.db --csv=
bitseer show a.db --csv taken
bitseer show none.db --svg new && exit 9
[ ! -e new ]  || exit 9
exit 1
