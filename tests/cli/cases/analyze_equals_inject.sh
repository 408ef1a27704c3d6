#: stdout 46080 46080
#: stdout True
# Both answer for every weight of the first layer; the interval rule may err on 1 in 1,000 pairs.
need_fashion
select=(--images 10 --target weight --layers 0 --json)
bitseer inject "$demo" --data "$root/models/fashion-mnist.yaml" "${select[@]}" --plan exhaustive >a
bitseer analyze "$demo" --data "$root/models/fashion-mnist.yaml" "${select[@]}" --sampling complete >b
python3 - <<'P'
import json
a, b = json.load(open('a')), json.load(open('b'))
print(a['total']['pairs'], b['total']['pairs'])
print(abs(a['total']['critical'] - b['total']['critical']) <= a['total']['pairs'] / 1000
      and a['total']['critical'] > 0 and a['mvf']['ci'] == [a['mvf']['vf']] * 2)
P
