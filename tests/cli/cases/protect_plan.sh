#: stdout True True True
#: stdout step,layer,by,bits,added_bits,overhead,vf_low,vf_high,ci_lo,ci_hi
#: stdout True
#: stdout 0
#: stderr~ bitseer protect: the model (SHA-256 *) is not that of 'a.db' (*)
# A plan reaches its target, direct injection agrees with it, and leaves no file behind.
need_fashion
mkdir tmp
export TMPDIR=$PWD/tmp
cp "$demo" m.onnx
bitseer analyze m.onnx --data "$root/models/fashion-mnist.yaml" --images 10 -t weight --layers 0,9 \
    --plan sites:30 --out a.db >/dev/null
bitseer protect a.db --target-vf 0.004 --confirm 3000 --svg a.svg --csv a.csv --json >p
python3 -c 'import json
p = json.load(open("p"))
c = p["confirmation"]["measured"]
print(p["plan"]["reached"], p["after"]["high"] <= 0.004,
      c["ci"][0] <= p["after"]["ci"][1] and p["after"]["ci"][0] <= c["ci"][1])'
head -1 a.csv
grep -c '</svg>' a.svg | sed s/1/True/
ls tmp | wc -l
cp "$root/models/fashion_resnet.onnx" m.onnx && printf '\022\001x' >>m.onnx
bitseer protect a.db --by tmr --bits 30 --confirm 100
[ $? = 2 ]
