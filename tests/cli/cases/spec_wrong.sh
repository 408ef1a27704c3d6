#: exit 2
#: stderr bitseer run: s.yaml:4: unknown key 'layer', did you mean 'layers'?
#: stderr bitseer run: s.yaml:4: unknown key 'xyzzyxyzzy'
#: stderr bitseer run: s.yaml:4: unknown key '--target', did you mean 'target'?
#: stderr bitseer run: s.yaml:4: target is 'wieght', expected weight, bias, activation, input, operand, operand-weight, norm, scale, zero-point or output
#: stderr bitseer run: s.yaml:4: transient is 'yes', expected true or false
#: stderr bitseer run: s.yaml:4: seed is '-1', expected a whole number from 0 to 9007199254740991
#: stderr bitseer run: s.yaml:4: key 'data' is there twice, first on line 3
#: stderr bitseer run: s.yaml:4: layers is empty
#: stderr bitseer run: s.yaml:4: a mapping or sequence inside another is not allowed
#: stderr bitseer run: s.yaml:4: anchors and aliases are not allowed
#: stderr bitseer run: s.yaml:4: a second document is not allowed
#: stderr bitseer run: s.yaml:4: found character that cannot start any token
#: stderr bitseer run: s.yaml: no key 'target'
# `with LINE` runs a spec with one more line, the fourth. Nothing may be written.
with() {
    printf 'command: inject\nmodel: none.onnx\ndata: idx:x,y\n%s\n' "$1" >s.yaml
    bitseer run s.yaml --out run.db
}
with 'layer: 0'
with 'xyzzyxyzzy: 0'
with '--target: weight'
with 'target: wieght'
with 'transient: yes'
with 'seed: -1'
with 'data: idx:z,y'
with 'layers:'
with 'layers: [[0]]'
with 'layers: &a 0'
with '---'
with '@'
with 'images: 3'
status=$?
[ "$(ls)" = s.yaml ] || exit 9
exit $status
