#: stdout ['images', 'correct', 'accuracy', 'top5', 'top5_correct', 'accuracy_ci', 'classes', 'performance', 'provenance']
#: stdout 100 93 0.93 10
#: stdout True
need_fashion
bitseer eval "$demo" --data "$root/models/fashion-mnist.yaml" --images 100 --json >out.json
python3 - <<'P'
import json
r = json.load(open('out.json'))
print(list(r))
print(r['images'], r['correct'], r['accuracy'], r['classes'])
print(r['provenance']['data']['spec'].endswith('models/fashion-mnist.yaml images=100'))
P
