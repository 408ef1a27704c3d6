"""same_result.py A.json B.json: prints whether two results agree in all but their performance, and
checks what must hold in any result."""
import json
import sys

LAYER = ['index', 'name', 'op', 'target', 'sites', 'population', 'sampled_sites', 'faults', 'images',
         'pairs', 'critical', 'due', 'sdc', 'masked', 'benign', 'top5', 'correct', 'vf', 'ci', 'format',
         'metrics', 'rmse', 'masked_at', 'bits', 'channels', 'simulations']

a, b = (json.load(open(path)) for path in sys.argv[1:3])
for r in a, b:
    r.pop('performance')
    assert r['layers']
    for layer in r['layers']:
        assert list(layer) == LAYER, list(layer)
        if r['method'] == 'deepvigor':
            assert layer['pairs'] is None and layer['critical'] is None
            assert all(0 <= x['vf'] <= 1 and x['ci'] == [None, None] for x in [layer] + layer['channels'])
            continue
        assert layer['pairs'] == layer['faults'] * layer['images']
        assert layer['critical'] == sum(bit['critical'] for bit in layer['bits'])
        assert layer['faults'] == sum(bit['faults'] for bit in layer['bits'])
        for part in [layer] + layer['bits'] + layer['channels']:
            if part['vf'] is not None:
                assert 0 <= part['ci'][0] <= part['vf'] <= part['ci'][1] <= 1, part
    if r['method'] == 'deepvigor':
        for key, n in r['simulations'].items():
            assert n == sum(layer['simulations'][key] for layer in r['layers']), key
        continue
    for key in 'sites', 'population', 'faults', 'pairs', 'critical':
        assert r['total'][key] == sum(layer[key] for layer in r['layers']), key
    assert r['mvf']['ci'][0] <= r['mvf']['vf'] <= r['mvf']['ci'][1]
print('same' if a == b else 'different')
