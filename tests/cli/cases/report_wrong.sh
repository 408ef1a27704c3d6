#: exit 1
#: stderr bitseer report: no RUN.db given
#: stderr bitseer report: --out FILE.html is required
#: stderr bitseer report: cannot write 'no/page.html': No such file or directory
#: stderr bitseer report: cannot write '.': Is a directory
#: stderr bitseer report: 'x' is one of the runs
#: stderr bitseer report: 'y' is one of the runs
#: stderr bitseer report: cannot open 'none.db': No such file or directory
# A page never replaces a run; nothing is written when a run cannot be read.
echo run >x && ln -s x y
bitseer report --out page.html
bitseer report x
bitseer report x --out no/page.html
bitseer report x --out .
bitseer report y --out x
bitseer report z x --out y
bitseer report none.db --out page.html
status=$?
[ -e page.html ] && echo written
exit $status
