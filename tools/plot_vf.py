#!/usr/bin/env python3
"""Bar chart of the layers' vulnerability factors from a result of `bitseer analyze --out FILE.json`.

usage: tools/plot_vf.py FILE.json > chart.svg

Needs Python 3 alone. Bars are LVFs with their confidence intervals; the dashed line is the MVF."""
import json
import sys
from xml.sax.saxutils import escape

WIDTH, ROW, LEFT, RIGHT, TOP = 760, 26, 250, 70, 44


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("\n\n")[1])
    with open(sys.argv[1], encoding="utf-8") as f:
        result = json.load(f)
    layers = [l for l in result["layers"] if l["vf"] is not None]
    top = 1.08 * max(l["ci"][1] for l in layers)
    scale = (WIDTH - LEFT - RIGHT) / top
    height = TOP + ROW * len(layers) + 40
    x = lambda share: LEFT + scale * share
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="24" font-size="15">Vulnerability factor of each layer: critical share of '
        f'single bit flips in {escape(result["target"])}s</text>',
    ]
    for i, layer in enumerate(layers):
        y = TOP + ROW * i
        lo, hi = layer["ci"]
        out += [
            f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end">{escape(layer["name"])}</text>',
            f'<rect x="{LEFT}" y="{y + 5}" width="{scale * layer["vf"]:.1f}" height="{ROW - 10}" '
            f'fill="#4878a8"/>',
            f'<path d="M{x(lo):.1f} {y + 13}H{x(hi):.1f}M{x(lo):.1f} {y + 8}v10'
            f'M{x(hi):.1f} {y + 8}v10" stroke="#111" fill="none"/>',
            f'<text x="{x(hi) + 6:.1f}" y="{y + 17}">{100 * layer["vf"]:.2f} %</text>',
        ]
    mvf = x(result["mvf"]["vf"])
    bottom = TOP + ROW * len(layers)
    out += [
        f'<path d="M{mvf:.1f} {TOP}V{bottom + 6}" stroke="#b03030" stroke-dasharray="5 4"/>',
        f'<text x="{mvf:.1f}" y="{bottom + 22}" text-anchor="middle" fill="#b03030">MVF '
        f'{100 * result["mvf"]["vf"]:.2f} %</text>',
        "</svg>",
    ]
    print("\n".join(out))


if __name__ == "__main__":
    main()
