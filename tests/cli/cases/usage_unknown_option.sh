#: exit 2
#: stderr bitseer analyze: unknown option '--thread', did you mean '--threads'?
#: stderr bitseer eval: unknown option '--target'
bitseer analyze "$demo" --thread 3
bitseer eval "$demo" --target weight
