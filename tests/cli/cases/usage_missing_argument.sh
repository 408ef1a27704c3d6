#: exit 2
#: stderr bitseer inspect: no MODEL given
#: stderr bitseer eval: --data KIND:PATH is required
#: stderr bitseer inject: --target T is required
#: stderr bitseer inspect: --out needs a value: FILE
#: stderr bitseer inspect: unexpected 'b' after 'a'
bitseer inspect
bitseer eval "$demo"
bitseer inject "$demo" --data idx:x,y
bitseer inspect "$demo" --out
bitseer inspect a b
