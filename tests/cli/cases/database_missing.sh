#: exit 1
#: stderr~ bitseer show: *'none.db'*
#: stderr~ bitseer resume: *'none.db'*
#: stderr~ bitseer export: *'none.db'*
#: stderr~ bitseer compare: *'none.db'*
#: stderr~ bitseer show: *'text.db'*
#: stderr~ bitseer resume: *'text.db'*
#: stderr~ bitseer export: *'text.db'*
#: stderr~ bitseer show: *'empty.db'*
echo 'This is no database, though it is a file of a certain length.' >text.db
: >empty.db
bitseer show none.db
bitseer resume none.db
bitseer export none.db
bitseer compare none.db text.db
bitseer show text.db
bitseer resume text.db
bitseer export text.db
bitseer show empty.db
status=$?
[ "$(echo *)" = "empty.db text.db" ] && [ ! -s empty.db ] || exit 9
exit $status
