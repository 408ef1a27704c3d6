"""Small charts as SVG text, side by side: points with intervals, and lines."""
import html
import math

COLOURS = ("#1b6ca8", "#c8511b", "#3a7d44", "#8e44ad", "#b8860b", "#555555", "#d6336c", "#0b8f8f")
WIDTH, HEIGHT = 420, 290
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 30, 40


class Chart:
    """One chart. The x axis is logarithmic. Ranges come from what is added, of x within limits; y
    holds 0."""

    def __init__(self, title, x_name, y_name, limits=(0, math.inf)):
        self.title, self.x_name, self.y_name = title, x_name, y_name
        self.limits, self.series = limits, []

    def line(self, name, points):
        """(x, y) pairs joined by a line; name None: not in the legend."""
        self._add(name, [(x, y, y, y) for x, y in points], True)

    def dots(self, name, points):
        """(x, y) or (x, y, low, high) points, with whiskers."""
        self._add(name, [p if len(p) == 4 else (p[0], p[1], p[1], p[1]) for p in points], False)

    def _add(self, name, points, joined):
        low, high = self.limits
        known = [p for p in points if 0 < p[0] and low <= p[0] <= high and
                 all(map(math.isfinite, p))]
        self.series.append((name, known, joined))

    def _ranges(self):
        every = [p for _, points, _ in self.series for p in points]
        if not every:
            return (1e-1, 1e1), (0, 1)
        xs, lows, highs = [p[0] for p in every], [p[2] for p in every], [p[3] for p in every]
        step = _step(max(highs) - min(0, min(lows)))
        return (min(xs), max(xs)), (step * math.floor(min(0, min(lows)) / step),
                                    step * math.ceil(max(highs) / step))

    def draw(self, left, top):
        """SVG elements of the chart with its upper left corner there."""
        (x0, x1), (y0, y1) = self._ranges()
        x0, x1 = math.log10(x0) - 0.1, math.log10(x1) + 0.1

        def at_x(x):
            return left + LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(x) - x0) / (x1 - x0)

        def at_y(y):
            return top + HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - y0) / (y1 - y0)

        out = [f'<text x="{left + LEFT}" y="{top + 18}" font-weight="bold">{_text(self.title)}</text>']
        out += self._axes(left, top, (x0, x1), (y0, y1), at_x, at_y)
        for number, (_, points, joined) in enumerate(self.series):
            out += _draw_series(points, joined, COLOURS[number % len(COLOURS)], at_x, at_y)
        return out + self._legend(left, top)

    def _axes(self, left, top, xs, ys, at_x, at_y):
        ends = (left + LEFT, left + WIDTH - RIGHT)
        bottom = top + HEIGHT - BOTTOM
        out = []
        for value in _ticks(ys):
            out.append(f'<line x1="{ends[0]}" y1="{at_y(value):.1f}" x2="{ends[1]}" '
                       f'y2="{at_y(value):.1f}" stroke="#ddd"/>'
                       f'<text x="{ends[0] - 6}" y="{at_y(value) + 4:.1f}" '
                       f'text-anchor="end">{value:g}</text>')
        for power in range(math.ceil(xs[0]), math.floor(xs[1]) + 1):
            x = at_x(10.0 ** power)
            out.append(f'<line x1="{x:.1f}" y1="{top + TOP}" x2="{x:.1f}" y2="{bottom}" '
                       f'stroke="#ddd"/><text x="{x:.1f}" y="{bottom + 15}" '
                       f'text-anchor="middle">{10.0 ** power:g}</text>')
        out.append(f'<path d="M{ends[0]} {top + TOP}V{bottom}H{ends[1]}" fill="none" '
                   f'stroke="#333"/>')
        out.append(f'<text x="{ends[1]}" y="{bottom + 31}" text-anchor="end">{_text(self.x_name)}'
                   f'</text><text x="{left + LEFT}" y="{bottom + 31}" fill="#555">'
                   f'upwards: {_text(self.y_name)}</text>')
        return out

    def _legend(self, left, top):
        named = [(number, name, joined) for number, (name, _, joined) in enumerate(self.series)
                 if name]
        out = []
        x, y = left + LEFT + 8, top + HEIGHT - BOTTOM - 8 - 14 * (len(named) - 1)
        for row, (number, name, joined) in enumerate(named):
            height = y + 14 * row
            colour = COLOURS[number % len(COLOURS)]
            mark = (f'<path d="M{x - 5} {height - 4}h10" stroke="{colour}" stroke-width="2"/>' if joined
                    else f'<circle cx="{x}" cy="{height - 4}" r="3" fill="{colour}"/>')
            out.append(f'{mark}<text x="{x + 9}" y="{height}">{_text(name)}</text>')
        return out


def _text(text):
    return html.escape(str(text))


def _step(span):
    """A round distance of some 5 ticks over that span."""
    power = 10.0 ** math.floor(math.log10((span or 1) / 4))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= (span or 1) / 5)


def _ticks(ys):
    step = _step(ys[1] - ys[0])
    return [step * k for k in range(math.ceil(ys[0] / step), math.floor(ys[1] / step + 1e-9) + 1)]


def _draw_series(points, joined, colour, at_x, at_y):
    if joined:
        path = "L".join(f"{at_x(x):.1f} {at_y(y):.1f}" for x, y, _, _ in points)
        return [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'] if path else []
    out = []
    for x, y, low, high in points:
        if high > low:
            out.append(f'<path d="M{at_x(x):.1f} {at_y(low):.1f}V{at_y(high):.1f}" '
                       f'stroke="{colour}" stroke-opacity="0.6"/>')
        out.append(f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="2.5" fill="{colour}"/>')
    return out


def picture(charts, columns, description):
    """The charts in rows of so many, as SVG text."""
    rows = -(-len(charts) // columns)
    columns = min(columns, len(charts))
    size = f'viewBox="0 0 {columns * WIDTH} {rows * HEIGHT}" width="{columns * WIDTH}"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" '
           f'font-size="11" fill="#1a1a1a">', f"<desc>{_text(description)}</desc>",
           '<rect width="100%" height="100%" fill="#fff"/>']
    for number, chart in enumerate(charts):
        out += chart.draw(WIDTH * (number % columns), HEIGHT * (number // columns))
    return "\n".join(out + ["</svg>"]) + "\n"
