#: stdout 7 pictures
#: stdout layer 0 a,"b"<&>'é層? (Conv): VF 16.67 %, exact
# The pictures that the unit tests compare with are XML, and odd names come back as they were.
python3 - "$root"/tests/unit/report/pictures/*.svg <<'P'
import sys
import xml.dom.minidom as dom
sys.stdout.reconfigure(encoding='utf-8')
texts = [e.firstChild.data for path in sys.argv[1:] for e in dom.parse(path).getElementsByTagName('title')]
print(len(sys.argv) - 1, 'pictures')
print(*[t for t in texts if '<&>' in t])
P
