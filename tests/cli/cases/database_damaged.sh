#: exit 1
#: stderr bitseer show: 'cut.db' is damaged: database disk image is malformed
#: stderr bitseer resume: 'cut.db' is damaged: database disk image is malformed
#: stderr bitseer export: 'cut.db' is damaged: database disk image is malformed
#: stderr bitseer compare: 'cut.db' is damaged: database disk image is malformed
#: stderr bitseer resume: 'cut.db' is damaged: database disk image is malformed
#: stderr bitseer show: 'cut.db' is not a bitseer run: it has only 60 bytes
#: stderr~ bitseer resume: 'other.db' is not a bitseer run: its application id *
# Cut files, another program's file: none is changed, repaired or tidied up.
need_fashion
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" --images 2 -t weight --plan random:500 \
    --out run.db >table
head -c $(($(stat -c %s run.db) / 2)) run.db >cut.db
sha256sum cut.db >sum
bitseer show cut.db
bitseer resume cut.db
bitseer export cut.db
bitseer compare run.db cut.db
sha256sum --status -c sum || exit 9
head -c 4096 run.db >cut.db
bitseer resume cut.db
head -c 60 run.db >cut.db
bitseer show cut.db
python3 -c 'import sqlite3
c = sqlite3.connect("other.db"); c.execute("CREATE TABLE t (a)"); c.commit()'
sha256sum other.db >sum
bitseer resume other.db
status=$?
sha256sum --status -c sum || exit 9
[ "$(echo *)" = "cut.db other.db run.db sum table" ] || exit 8
exit $status
