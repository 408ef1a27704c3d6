"""Small statistics for the studies, in plain Python."""
import ast
import math
import statistics
import struct
from array import array

NORMAL = statistics.NormalDist()


def student(p, freedom):
    """Quantile of Student's t by its expansion (Abramowitz and Stegun 26.7.5); from 4 degrees of
    freedom on within 1 % for p up to 0.975."""
    z, n = NORMAL.inv_cdf(p), freedom
    return (z + (z ** 3 + z) / (4 * n) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n * n) +
            (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3))


def mean_interval(values, confidence=0.95):
    """(mean, low, high) of their mean; one value: no bounds."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, -math.inf, math.inf
    half = (student((1 + confidence) / 2, len(values) - 1) * statistics.stdev(values) /
            math.sqrt(len(values)))
    return mean, mean - half, mean + half


def rmse_of_runs(point):
    """(RMSE over all runs of a sweep's point, low, high); of few flips the low one may be 0."""
    squares = [run["rmse"] ** 2 for run in point["each"] if "rmse" in run]
    if not squares or not all(map(math.isfinite, squares)):
        return math.nan, math.nan, math.nan
    mean, low, high = mean_interval(squares)
    return math.sqrt(mean), math.sqrt(max(low, 0)), math.sqrt(high)


def falling(points):
    """Isotonic regression: (x, y, weight) points to (x, fitted y) by ascending x, y never rising
    (pool adjacent violators)."""
    blocks = []  # [xs, sum of weighted y, weight]
    for x, y, weight in sorted(points):
        blocks.append([[x], y * weight, weight])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] < blocks[-1][1] * blocks[-2][2]:
            xs, total, weight = blocks.pop()
            blocks[-1][0] += xs
            blocks[-1][1] += total
            blocks[-1][2] += weight
    return [(x, total / weight) for xs, total, weight in blocks for x in xs]


def interpolate(curve, x):
    """Of (x, y) pairs by ascending x above 0, linear in log x; beyond the ends the end's y."""
    if x <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in zip(curve, curve[1:]):
        if x <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * math.log(x / x0) / math.log(x1 / x0)
    return curve[-1][1]


def crossing(curve, level):
    """The x where a falling curve reaches that level, linear in log x; NaN where it does not."""
    for (x0, y0), (x1, y1) in zip(curve, curve[1:]):
        if y0 >= level > y1:
            return x0 * (x1 / x0) ** ((y0 - level) / (y0 - y1))
    return math.nan


def slope(points):
    """Least-squares slope of log y over log x."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mx, my = (math.fsum(column) / len(logs) for column in zip(*logs))
    return (math.fsum((x - mx) * (y - my) for x, y in logs) /
            math.fsum((x - mx) ** 2 for x, _ in logs))


def gauss_hermite(n):
    """(t, weight): sums of weight f(t) are means of f over standard normal t (Newton's iteration on
    the orthonormal polynomials)."""
    nodes = []
    for i in range((n + 1) // 2):
        if i == 0:
            z = math.sqrt(2 * n + 1) - 1.85575 * (2 * n + 1) ** (-1 / 6)
        elif i == 1:
            z -= 1.14 * n ** 0.426 / z
        elif i == 2:
            z = 1.86 * z - 0.86 * nodes[0][0]
        elif i == 3:
            z = 1.91 * z - 0.91 * nodes[1][0]
        else:
            z = 2 * z - nodes[i - 2][0]
        for _ in range(100):
            p1, p2 = math.pi ** -0.25, 0.0
            for j in range(n):
                p1, p2 = (z * math.sqrt(2 / (j + 1)) * p1 - math.sqrt(j / (j + 1)) * p2), p1
            derivative = math.sqrt(2 * n) * p2
            z -= p1 / derivative
            if abs(p1 / derivative) < 1e-14:
                break
        nodes.append((z, 2 / derivative ** 2))
    both = nodes + [(-z, w) for z, w in nodes if abs(z) > 1e-9]
    return [(z * math.sqrt(2), w / math.sqrt(math.pi)) for z, w in both]


def accuracy_under_noise(logits, labels, sigma, nodes=tuple(gauss_hermite(24))):
    """Expected share of right answers when independent normal noise of that standard deviation is
    added to every logit: mean of the integral of phi(t) prod_k Phi(t + (z_c - z_k) / sigma)."""
    total = []
    scale = 1 / (sigma * math.sqrt(2))
    shifted = [(t / math.sqrt(2), w) for t, w in nodes]
    for row, label in zip(logits, labels):
        margins = [(row[label] - z) * scale for k, z in enumerate(row) if k != label]
        if min(margins) > 8:
            total.append(1.0)
            continue
        for t, w in shifted:
            product = w
            for margin in margins:
                if t + margin < 5:
                    product *= 0.5 * math.erfc(-t - margin)
            total.append(product)
    return math.fsum(total) / len(labels)


def read_npy(path):
    """Rows of a two-dimensional NumPy file of little-endian float32, in C order."""
    with open(path, "rb") as f:
        if f.read(6) != b"\x93NUMPY" or f.read(2)[0] != 1:
            raise ValueError(f"{path}: not a NumPy file of version 1")
        header = ast.literal_eval(f.read(struct.unpack("<H", f.read(2))[0]).decode("latin-1"))
        if header["descr"] != "<f4" or header["fortran_order"] or len(header["shape"]) != 2:
            raise ValueError(f"{path}: not float32 rows")
        values = array("f")
        values.frombytes(f.read())
    rows, columns = header["shape"]
    return [values[columns * i:columns * (i + 1)].tolist() for i in range(rows)]
