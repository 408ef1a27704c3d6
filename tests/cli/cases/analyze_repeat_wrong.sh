#: exit 1
#: stderr bitseer analyze: --repeat needs --against RUN.db, a complete analysis
#: stderr bitseer analyze: --repeat keeps no database, --out must end in .json
#: stderr bitseer analyze: the analysis to compare with is a sample (random), not complete
#: stderr bitseer analyze: cannot open 'none.db': No such file or directory
need_fashion
args=(-t weight --layers 9 --images 2 --data "$root/models/fashion-mnist.yaml" --sampling random:2)
bitseer analyze "$demo" "${args[@]}" --out part.db >/dev/null
bitseer analyze "$demo" "${args[@]}" --repeat 2
bitseer analyze "$demo" "${args[@]}" --repeat 2 --against part.db --out r.db
bitseer analyze "$demo" "${args[@]}" --repeat 2 --against part.db
bitseer analyze "$demo" "${args[@]}" --repeat 2 --against none.db
exit 1
