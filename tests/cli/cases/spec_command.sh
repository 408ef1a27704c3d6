#: exit 2
#: stderr bitseer run: empty.yaml:1: the file is empty
#: stderr bitseer run: list.yaml:1: expected a mapping of keys to values
#: stderr bitseer run: none.yaml: no key 'command'
#: stderr bitseer run: show.yaml:2: command is 'show', expected inspect, eval, plan, inject, analyze, sweep or predict
#: stderr bitseer run: model.yaml: no key 'model'
#: stderr bitseer run: inspect.yaml:3: unknown key 'target'
#: stderr bitseer run: --threads is no option of inspect
#: stderr bitseer run: /dev/zero: more than 65536 bytes
: >empty.yaml
echo '- inject' >list.yaml
echo 'model: m.onnx' >none.yaml
printf 'model: m.onnx\ncommand: show\n' >show.yaml
echo 'command: inspect' >model.yaml
printf 'command: inspect\nmodel: m.onnx\ntarget: weight\n' >inspect.yaml
printf 'command: inspect\nmodel: m.onnx\n' >good.yaml
bitseer run empty.yaml
bitseer run list.yaml
bitseer run none.yaml
bitseer run show.yaml
bitseer run model.yaml
bitseer run inspect.yaml
bitseer run good.yaml --threads 2
bitseer run /dev/zero
