#: exit 2
#: stderr bitseer analyze: unknown option '--thread', did you mean '--threads'?
#: stderr bitseer eval: unknown option '--target'
#: stderr bitseer inject: unknown option '--sampling'
#: stderr bitseer resume: unknown option '--seed'
bitseer analyze "$demo" --thread 3
bitseer eval "$demo" --target weight
bitseer inject "$demo" --sampling complete
bitseer resume run.db --seed 3
