"""check_pictures.py RESULT.json FOLDER: whether the pictures and tables in FOLDER, which
`bitseer show --svg FOLDER --csv FOLDER` wrote, say what the result says. Positions are read against
the ticks of the scale that is drawn, so nothing is taken from the program that drew it."""
import csv
import json
import math
import os
import re
import sys
import xml.dom.minidom

UNIT = 0.011  # coordinates have two decimals


def elements(node, tag, kind=None):
    return [e for e in node.getElementsByTagName(tag) if kind is None or e.getAttribute('class') == kind]


def number(element, name):
    return float(element.getAttribute(name))


def text(node):
    return ''.join(text(c) if c.childNodes else c.data for c in node.childNodes if c.nodeName != '#comment')


def tick_value(element):
    """12.5, or 2 times 10 to the power in the tspan; as a share."""
    power = elements(element, 'tspan')
    if not power:
        return float(text(element)) / 100
    factor = element.firstChild.data.split('\u00b7')
    return (int(factor[0]) if len(factor) > 1 else 1) * 10 ** int(text(power[0]).replace('\u2212', '-')) / 100


class Scale:
    """The positions of shares, from the ticks' lines and texts."""

    def __init__(self, doc, axis):
        along = 'y1' if axis == 'y' else 'x1'
        lines = [number(l, along) for l in elements(elements(doc, 'g', 'grid')[0], 'line')]
        values = [tick_value(t) for t in elements(elements(doc, 'g', axis + '-ticks')[0], 'text')]
        assert len(lines) == len(values) >= 2, (lines, values)
        self.zero = None
        self.log = values[0] == 0 and len(values) > 2 and not self.even(values) or not self.even(values)
        if self.log and values[0] == 0:
            self.zero = lines[0]
            lines, values = lines[1:], values[1:]
        self.a, self.b = (lines[0], self.map(values[0])), (lines[-1], self.map(values[-1]))
        for line, value in zip(lines, values):
            assert abs(self.at(value) - line) < 2 * UNIT, (line, value, self.at(value))

    @staticmethod
    def even(v):
        return all(abs((v[i + 1] - v[i]) - (v[1] - v[0])) < 1e-9 * v[-1] for i in range(len(v) - 1))

    def map(self, v):
        return math.log(v) if self.log else v

    def at(self, v):
        if self.log and v == 0:
            return self.zero
        (p, u), (q, w) = self.a, self.b
        return p + (self.map(v) - u) / (w - u) * (q - p)


def load(folder, name):
    doc = xml.dom.minidom.parse(os.path.join(folder, name + '.svg')).documentElement
    assert doc.getAttribute('role') == 'img'
    ids = {e.getAttribute('id') for e in elements(doc, 'title') + elements(doc, 'desc')}
    assert set(doc.getAttribute('aria-labelledby').split()) <= ids
    for e in elements(doc, '*'):
        for name, value in e.attributes.items():
            assert 'nan' not in value and 'inf' not in value, (e.tagName, name, value)
            assert not name.startswith('on') and name not in ('href', 'src'), name
    assert not elements(doc, 'script') and not elements(doc, 'image')
    return doc


def check_words(title, value, ci, confidence):
    """The numbers in a mark's title, which have four digits."""
    words = text(title)
    if value is None:
        assert words.endswith('not observed'), words
        return
    found = [float(x) / 100 for x in re.findall(r'([-+.0-9e]+) %(?! interval)', words.rsplit(': ', 1)[1])]
    expected = [value] if ci[0] == ci[1] or None in ci else [value] + ci
    assert len(found) == len(expected), (words, expected)
    for f, e in zip(found, expected):
        assert abs(f - e) <= 6e-4 * abs(e), (words, expected)
    assert len(expected) == 1 or '%g %% interval' % (100 * confidence) in words


def check_whisker(mark, scale, along, value, ci):
    whisker = elements(mark, 'g', 'whisker')
    if value is None or ci[0] == ci[1] or None in ci:
        assert not whisker
        return
    main = elements(whisker[0], 'line')[0]
    lo, hi = number(main, along + '1'), number(main, along + '2')
    assert abs(hi - scale.at(ci[1])) < 2 * UNIT
    if len(elements(whisker[0], 'line')) == 3:  # with both ends
        assert abs(lo - scale.at(ci[0])) < 2 * UNIT, (lo, scale.at(ci[0]), ci)


def check_layers(result, folder):
    doc = load(folder, 'layers')
    scale = Scale(doc, 'x')
    marks = elements(doc, 'g', 'layer')
    assert len(marks) == len(result['layers'])
    for mark, layer in zip(marks, result['layers']):
        title = elements(mark, 'title')[0]
        assert text(title).startswith('layer %d %s (%s): ' % (layer['index'], layer['name'], layer['op']))
        check_words(title, layer['vf'], layer['ci'], result['confidence'])
        check_whisker(mark, scale, 'x', layer['vf'], layer['ci'])
        if layer['vf'] is not None:
            bar = elements(mark, 'rect', 'bar')[0]
            assert abs(number(bar, 'x') - scale.at(0)) < UNIT
            assert abs(number(bar, 'x') + number(bar, 'width') - scale.at(layer['vf'])) < 3 * UNIT
    mvf = elements(doc, 'g', 'mvf')[0]
    check_words(elements(mvf, 'title')[0], result['mvf']['vf'], result['mvf']['ci'], result['confidence'])
    assert abs(number(elements(mvf, 'line')[0], 'x1') - scale.at(result['mvf']['vf'])) < 2 * UNIT
    return len(marks)


def check_bits(result, folder):
    doc = load(folder, 'bits')
    scale = Scale(doc, 'y')
    marks = elements(doc, 'g', 'bit')
    assert len(marks) == len(result['bits'])
    for mark, bit in zip(marks, result['bits']):
        title = elements(mark, 'title')[0]
        assert text(title).startswith('bit %d: ' % bit['bit'])
        check_words(title, bit['vf'], bit['ci'], result['confidence'])
        check_whisker(mark, scale, 'y', bit['vf'], bit['ci'])
        if bit['vf'] is None:
            continue
        top = number(elements(mark, 'circle')[0], 'cy') if scale.log else number(elements(mark, 'rect', 'bar')[0], 'y')
        assert abs(top - scale.at(bit['vf'])) < 2 * UNIT, (bit['bit'], top)
    return len(marks)


def luminance(colour):
    """Relative luminance as WCAG 2.1 defines it."""
    c = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    c = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in c]
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]


def check_channels(result, folder):
    doc = load(folder, 'channels')
    cells = elements(doc, 'g', 'cell')
    channels = [(l, c) for l in result['layers'] for c in l['channels']]
    assert len(cells) == len(channels)
    paints, places = [], set()
    for cell, (layer, channel) in zip(cells, channels):
        title, rect = elements(cell, 'title')[0], elements(cell, 'rect')[0]
        assert text(title).startswith('layer %d, channel %d: ' % (layer['index'], channel['index']))
        check_words(title, channel['vf'], channel['ci'], result['confidence'])
        places.add((rect.getAttribute('x'), rect.getAttribute('y')))
        if channel['vf'] is None:
            assert 'hatch' in rect.getAttribute('fill')
        else:
            paints.append((channel['vf'], luminance((rect.getAttribute('fill') + 'fff')[:7])))
    assert len(places) == len(cells)
    paints.sort()
    for (v, light), (w, dark) in zip(paints, paints[1:]):
        assert v == w and light == dark or v < w and light >= dark, (v, w, light, dark)
    return len(cells)


SHAPES = {'bits': 'circle', 'noise': 'circle', 'logits': 'rect', 'normal': 'polygon', 'poisson': 'polygon'}


def place(mark, tag):
    """Centre of a marker, and whether it is filled."""
    shape = elements(mark, tag, 'point')[0]
    filled = shape.getAttribute('fill') != '#fff'
    if tag == 'circle':
        return number(shape, 'cx'), number(shape, 'cy'), filled
    if tag == 'rect':
        return number(shape, 'x') + number(shape, 'width') / 2, number(shape, 'y') + number(shape, 'height') / 2, filled
    corners = [[float(v) for v in p.split(',')] for p in shape.getAttribute('points').split()]
    return corners[0][0], corners[0][1] + 4.5, filled  # the upper corner is 4.5 above the centre


def check_rates(result, folder, name):
    doc = load(folder, name)
    grid, marks = elements(doc, 'g', 'grid'), elements(doc, 'g', 'value')
    grid[0].parentNode.removeChild(grid[1])  # of the rates
    scale = Scale(doc, 'y')
    points = [p for p in result['points'] if p['accuracy'] is not None]
    assert len(marks) == len(points)
    last = -1
    for mark, p in zip(marks, points):
        title = elements(mark, 'title')[0]
        x, y, filled = place(mark, SHAPES[p['model']])
        assert filled == (p['model'] == 'bits')
        assert (', model ' + p['model'] in text(title)) != filled
        assert abs(float(re.match('BER ([^:,]*)', text(title)).group(1)) - p['ber']) <= 1e-5 * p['ber']
        check_words(title, p['accuracy'], p['ci'], result['confidence'])
        if name == 'ber':
            check_whisker(mark, scale, 'y', p['accuracy'], p['ci'])
        assert abs(y - scale.at(p['accuracy'])) < 2 * UNIT
        assert x > last
        last = x
    if name != 'ber':
        check_band(doc, scale, points)
    return len(marks)


def check_band(doc, scale, points):
    """Upper bounds from left to right, lower ones back."""
    band = elements(doc, 'polygon', 'band')[0].getAttribute('points').split()
    got = [float(p.split(',')[1]) for p in band]
    expected = [p['ci'][1] for p in points] + [p['ci'][0] for p in reversed(points)]
    assert len(got) == len(expected)
    for y, bound in zip(got, expected):
        assert abs(y - scale.at(bound)) < 2 * UNIT


def check_table(folder, name, rows):
    """rows: the expected ones as dicts; what is None is empty."""
    with open(os.path.join(folder, name + '.csv'), newline='', encoding='utf-8') as f:
        table = list(csv.DictReader(f, strict=True))
    assert len(table) == len(rows), name
    for got, row in zip(table, rows):
        for key, value in row.items():
            cell = got[key]
            same = cell == '' if value is None else cell == value if isinstance(value, str) \
                else float(cell) == value
            assert same, (name, key, cell, value)
        assert None not in got and None not in got.values()


def outcomes(x, names):
    row = {k: x[k] for k in names if k in x}
    return {**row, 'vf': x['vf'], 'vf_lo': x['ci'][0], 'vf_hi': x['ci'][1]}


PART = ['sites', 'faults', 'critical', 'due', 'sdc']
LAYER = PART + ['name', 'op', 'format', 'population', 'sampled_sites', 'pairs', 'masked', 'benign', 'top5', 'correct']


def main():
    result, folder = json.load(open(sys.argv[1], encoding='utf-8')), sys.argv[2]
    if result.get('command') == 'predict':
        print('prediction', check_rates(result, folder, 'prediction'))
        return
    if 'points' in result:
        rows = [{'ber': p['ber'], 'runs': p['runs'], 'accuracy': p['accuracy'], 'accuracy_hi': p['ci'][1],
                 'flips': p['flips']['mean'], 'sdc': p['sdc'], 'due_lo': p['due_ci'][0], 'rmse': p['rmse'],
                 'rmse_hi': p['rmse_ci'][1], 'model': p['model']}
                for p in result['points']]
        check_table(folder, 'ber', rows)
        print('ber', check_rates(result, folder, 'ber'))
        return
    layers = result['layers']
    check_table(folder, 'layers', [{'layer': l['index'], **outcomes(l, LAYER)} for l in layers])
    check_table(folder, 'bits', [{'bit': b['bit'], **outcomes(b, PART)} for b in result['bits']])
    print('layers', check_layers(result, folder), 'bits', check_bits(result, folder))
    channels = [{'layer': l['index'], 'name': l['name'], 'channel': c['index'], **outcomes(c, PART)}
                for l in layers for c in l['channels']]
    assert bool(channels) == os.path.exists(os.path.join(folder, 'channels.svg'))
    if channels:
        check_table(folder, 'channels', channels)
        print('channels', check_channels(result, folder))


main()
