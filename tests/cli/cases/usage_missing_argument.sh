#: exit 2
#: stderr bitseer inspect: no MODEL given
#: stderr bitseer eval: --data KIND:PATH is required
#: stderr bitseer inject: --target T is required
#: stderr bitseer sweep: --ber LIST is required
#: stderr bitseer plan: --target T is required
#: stderr bitseer inspect: --out needs a value: FILE
#: stderr bitseer inspect: unexpected 'b' after 'a'
#: stderr bitseer compare: no A.db given
#: stderr bitseer compare: no B.db given
#: stderr bitseer compare: unexpected 'c' after 'b'
#: stderr bitseer run: no SPEC.yaml given
#: stderr bitseer resume: no RUN.db given
bitseer inspect
bitseer eval "$demo"
bitseer inject "$demo" --data idx:x,y
bitseer sweep "$demo" --data idx:x,y
bitseer plan "$demo"
bitseer inspect "$demo" --out
bitseer inspect a b
bitseer compare
bitseer compare a
bitseer compare a b c
bitseer run
bitseer resume -j 2
