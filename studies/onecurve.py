#!/usr/bin/env python3
"""Does accuracy under bit errors depend on the RMSE of the logits alone, and what sets that RMSE?

usage: studies/onecurve.py [options]

One curve: bit-level sweeps of a network stored in int8, int12 and int16, in four ranges, with errors
in single layers, of weights and of activations. Every rate of every sweep is a point (RMSE of the
logits, accuracy). Through all of them goes one falling curve (isotonic regression); how far are the
points of each group from it, beside the sweeps' own intervals? And how far from the curve that needs
no errors at all: independent normal noise of that RMSE on the golden logits? The same once more for
each error pattern of weights as a point of its own.

Width: weights and activations of 4, 6, 8, 12 and 16 bits over one range, and fixed point with more
integer or more fraction bits, at the same bit error rates.

Networks: the demo, and ResNet-20 where BITSEER_DATA has it. Time on one core: the demo 15 minutes,
ResNet-20 half an hour. Finished sweeps are kept in --state; start it again to go on. Writes
docs/studies/onecurve.md and onecurve.svg beside it.

A tiny try: studies/onecurve.py --networks demo --runs 5 --state /tmp/try --output /tmp/try.md"""
import csv
import gzip
import math
import os

import common
import estimate
import pictures

RATES = "1e-6:1e-1/2"
LOSS = 0.02  # of accuracy by a format alone; with more it is left out
FASHION_LABELS = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"
LAYER_RATES = ("1e-4", "1e-3", "3e-3", "1e-2", "3e-2", "0.1", "0.3")
WIDTH_RATES = "1e-5,1e-4,1e-3"
GROUPS = [f"{target}, {group}" for target in ("weight", "activation")
          for group in ("width", "range", "layer")]
WIDTHS = (4, 6, 8, 12, 16)


class Subject:
    """A network with what is tried on it, and how many error patterns of weights at each rate.
    Ranges are R of -R:R over all tensors; the first takes in nearly all weights, or activations."""

    def __init__(self, network, images, runs, weight_ranges, activation_ranges, layers, tensors):
        self.network, self.images, self.runs = network, images, runs
        self.layers, self.tensors = layers, tensors
        self.ranges = {"weight": weight_ranges, "activation": activation_ranges}


SUBJECTS = {
    "demo": Subject(common.DEMO, "1000", 40, (1, 0.5, 2, 4), (8, 4, 16, 32), (0, 2, 5, 8),
                    ("/stem/relu/Relu_output_0", "/block2/relu1/Relu_output_0",
                     "/block3/relu2/Relu_output_0")),
    "resnet20": Subject(common.NETWORKS["resnet20"], "500", 16, (2, 1, 4, 8), (16, 8, 32, 64),
                        (0, 6, 13, 18), ("/Relu_output_0", "/layer2/layer2.0/Relu_output_0",
                                         "/layer3/layer3.2/Relu_output_0")),
}


class Sweep:
    """One series of rates; what is hit and how it is stored. `only` are options that select a layer
    or tensor."""

    def __init__(self, group, label, target, form, only=()):
        self.group, self.label, self.target, self.form, self.only = group, label, target, form, only


def sweeps_of(subject):
    """Those of the one curve."""
    for target in ("weight", "activation"):
        for width in (8, 12, 16):
            yield Sweep("width", f"int{width}", target, f"int{width}")
        for size in subject.ranges[target]:
            yield Sweep("range", f"int8, range {size:g}", target, f"int8/range={size:g}")
    for layer in subject.layers:
        yield Sweep("layer", f"layer {layer}", "weight", "int8", ("--layers", str(layer)))
    for tensor in subject.tensors:
        yield Sweep("layer", tensor, "activation", "int8", ("--tensors", tensor))


def widths_of(subject):
    """Those of the laws of width and range."""
    for target in ("weight", "activation"):
        size = subject.ranges[target][0]
        for width in WIDTHS:
            yield Sweep("width", f"int{width}", target, f"int{width}/range={size:g}")
        whole = int(math.log2(size))
        for integer in (whole, whole + 1, whole + 2, whole + 3):
            yield Sweep("integer bits", f"q{integer}.{7 - integer}", target,
                        f"q{integer}.{7 - integer}")
        for fraction in (3, 7, 11):
            yield Sweep("fraction bits", f"q{whole}.{fraction}", target, f"q{whole}.{fraction}")


def each_of(rows, images):
    """What is kept of the runs."""
    return [{"rmse": float(row["rmse"]), "accuracy": float(row["correct"]) / images}
            for row in rows if row["rmse"]]


def one_rate_of_layer(bitseer, subject, words, rate, folder):
    """A point of errors in one layer or tensor, which `sweep` does not know."""
    database = os.path.join(folder, rate + ".db")
    found = bitseer.measure("inject", subject.network,
                            [*words, "--fault", f"ber:{rate}", "--out", database], subject.images)
    accuracy = found["metrics"]["accuracy"]
    rows = list(csv.DictReader(bitseer.export(database, "--csv")))
    return {"ber": float(rate), "accuracy": accuracy["value"], "ci": accuracy["ci"],
            "rmse": found["rmse"]["value"], "each": each_of(rows, found["images"]),
            "golden": found["golden_correct"] / found["images"]}


def one_sweep(bitseer, subject, sweep, rates, runs, options):
    """Points: rate, accuracy with its interval, RMSE, golden accuracy, and the runs' own."""
    words = ["--target", sweep.target, "--format", f"{sweep.target}={sweep.form}", "--seed",
             str(options.seed)]
    with common.temporary_folder() as folder:
        if sweep.only:
            words += [*sweep.only, "--plan", f"random:{runs}"]
            return [one_rate_of_layer(bitseer, subject, words, rate, folder) for rate in LAYER_RATES]
        found = bitseer.sweep(subject.network, [*words, "--ber", rates, "--runs", str(runs)],
                              os.path.join(folder, "sweep.db"), subject.images)
        return [{"ber": p["ber"], "accuracy": p["accuracy"], "ci": p["ci"], "rmse": p["rmse"],
                 "each": each_of(p["each"], found["images"]),
                 "golden": found["golden_correct"] / found["images"]} for p in found["points"]]


def golden_logits(bitseer, state, subject):
    """Logits and labels of the network as given."""
    path = os.path.join(state, os.path.basename(subject.network.model) + ".logits.npy")
    found = bitseer.measure("eval", subject.network, ["--logits", path], subject.images)
    logits = estimate.read_npy(path)
    labels = labels_of(bitseer, subject)[:len(logits)]
    if round(share_right(logits, labels) * len(logits)) != found["correct"]:
        raise ValueError(f"{subject.network.name}: labels are not those of eval")
    return logits, labels


def labels_of(bitseer, subject):
    kind, _, path = subject.network.data.rpartition(":")
    if kind == "cifar10":
        with open(os.path.join(bitseer.folder, path), "rb") as f:
            return f.read()[::3073]
    with gzip.open(FASHION_LABELS) as f:
        return f.read()[8:]


def describe_distances(pairs):
    """Of (point, accuracy of a curve there): [number of points, rms and greatest distance, rms
    half-width of the intervals, points whose interval is off the curve]; in points of accuracy."""
    if not pairs:
        return [0, "-", "-", "-", "-"]
    off = [p["accuracy"] - y for p, y in pairs]
    halves = [(p["ci"][1] - p["ci"][0]) / 2 for p, _ in pairs]
    beside = sum(not p["ci"][0] <= y <= p["ci"][1] for p, y in pairs)
    return [len(pairs), common.share(rms(off), 2), common.share(max(off, key=abs), 2),
            common.share(rms(halves), 2), beside]


def rms(values):
    return math.sqrt(math.fsum(v * v for v in values) / len(values))


def share_right(logits, labels):
    return sum(row[label] == max(row) for row, label in zip(logits, labels)) / len(logits)


class Curves:
    """The points of a network's sweeps, (sweep, point), and the two curves that they are held
    against: the pooled one and that of noise on the golden logits, from RMSE to accuracy."""

    def __init__(self, found, logits, labels):
        self.best = share_right(logits, labels)
        self.kept = [(s, [p for p in points if p["rmse"]]) for s, points in found
                     if points[0]["golden"] >= self.best - LOSS]
        self.coarse = [(s, points[0]["golden"]) for s, points in found
                       if points[0]["golden"] < self.best - LOSS]
        self.every = [(s, p) for s, points in self.kept for p in points]
        self.pooled = estimate.falling([(p["rmse"], p["accuracy"], 1) for _, p in self.every])
        grid = [10 ** (k / 16) for k in range(-21, 33)]
        self.noise = [(x, estimate.accuracy_under_noise(logits, labels, x)) for x in grid]

    def group(self, name):
        """Points of a group."""
        return [p for s, p in self.every if group_of(s) == name]

    def others(self, name):
        """The pooled curve of all points but the group's own, which it would follow."""
        return estimate.falling([(p["rmse"], p["accuracy"], 1) for s, p in self.every
                                 if group_of(s) != name])

    def on_slope(self, points):
        """Those where the accuracy moves; elsewhere any curve fits."""
        return [p for p in points
                if 0.2 <= estimate.interpolate(self.pooled, p["rmse"]) <= 0.98 * p["golden"]]


def of_typical_runs(found):
    """The same points with the geometric mean of the runs' RMSE in place of the root of the mean of
    their squares, which a few runs decide."""
    changed = []
    for sweep, points in found:
        changed.append((sweep, []))
        for p in points:
            logs = [math.log(run["rmse"]) for run in p["each"] if run["rmse"] > 0]
            if logs and len(logs) == len(p["each"]):
                changed[-1][1].append({**p, "rmse": math.exp(math.fsum(logs) / len(logs))})
    return [(sweep, points) for sweep, points in changed if points]


def group_of(sweep):
    return f"{sweep.target}, {sweep.group}"


def distance_table(curves, curve_for):
    """A row for each group, off curve_for(group), and of all."""
    pairs = {name: [(p, estimate.interpolate(curve_for(name), p["rmse"]))
                    for p in curves.on_slope(curves.group(name))] for name in GROUPS}
    pairs["all"] = [pair for group in pairs.values() for pair in group]
    rows = [[name, *describe_distances(group)] for name, group in pairs.items()]
    return common.table(["sweeps", "points", "rms off", "greatest", "rms half interval",
                         "intervals beside"], rows)


def half_table(curves):
    rows = []
    for s, points in curves.kept:
        by_rmse = [(p["rmse"], p["accuracy"]) for p in points]
        by_rate = [(p["ber"], p["accuracy"]) for p in points]
        rows.append([f"{s.target}, {s.label}", common.share(points[0]["golden"], 1),
                     f"{estimate.slope(before_loss(points)):.2f}",
                     number(estimate.crossing(by_rmse, curves.best / 2)),
                     number(estimate.crossing(by_rate, curves.best / 2))])
    rows.append(["noise on golden logits", "", "",
                 number(estimate.crossing(curves.noise, curves.best / 2)), ""])
    return common.table(["sweep", "golden %", "slope", "RMSE", "BER"], rows)


def describe_chips(curves):
    """How far single error patterns of weights are from a curve of their own."""
    chips = [(c["rmse"], c["accuracy"], 1) for s, p in curves.every if s.target == "weight"
             for c in p["each"] if c["rmse"] > 0]
    own = estimate.falling(chips)
    off = [y - at for x, y, _ in chips for at in [estimate.interpolate(own, x)]
           if 0.2 <= at <= 0.98 * curves.best]
    if not off:
        return "No single error pattern of weights is on the slope."
    return (f"Single error patterns of weights ({len(off)} on the slope), from a curve of their own: "
            f"rms {common.share(rms(off), 2)} points.")


def charts_of(name, curves):
    drawn = [pictures.Chart(f"{name}: one curve?", "RMSE of the logits", "accuracy, %",
                            limits=(0.05, 100)),
             pictures.Chart(f"{name}: the same by rate", "bit error rate", "accuracy, %")]
    for chart, key in zip(drawn, ("rmse", "ber")):
        for group in GROUPS:
            chart.dots(group, [(p[key], 100 * p["accuracy"]) for p in curves.group(group)])
    drawn[0].line("pooled", [(x, 100 * y) for x, y in curves.pooled])
    drawn[0].line("noise on golden logits", [(x, 100 * y) for x, y in curves.noise])
    return drawn


def study_curve(subject, runs, found, logits, labels):
    """Parts of the text, and the picture's charts, from (sweep, points)."""
    curves = Curves(found, logits, labels)
    typical = Curves(of_typical_runs(found), logits, labels)
    parts = [f"## {subject.network.name}",
             f"{subject.images} images, {runs} error patterns of weights at each rate, of "
             f"activations a fifth. The golden logits' standard deviation is "
             f"{spread(logits):.3g}.",
             "### Distance from the pooled curve",
             "The curve for a group is that of all other groups' points. Points of accuracy, where "
             "the pooled curve is between 20 % and 0.98 of the fault-free "
             "accuracy. `rms half interval`: of the points' own 95 % intervals; `intervals beside`: "
             "how many of them do not hold the curve.",
             distance_table(curves, curves.others),
             "The same with the geometric mean of the runs' RMSE, where the root of the mean of their "
             "squares is decided by a few runs:",
             distance_table(typical, typical.others), describe_chips(curves),
             "### Distance from independent noise on the golden logits",
             distance_table(curves, lambda _: curves.noise),
             "### Where the accuracy is half",
             "`slope` is that of log RMSE over log BER while less than 3 % of the accuracy is lost; "
             "RMSE and BER are those where half of the fault-free accuracy is left.",
             half_table(curves)]
    if curves.coarse:
        parts.append(f"Left out, as the format alone costs more than {100 * LOSS:g} points: " +
                     ", ".join(f"{s.target} {s.label} ({common.share(golden, 1)} %)"
                               for s, golden in curves.coarse) + ".")
    return parts, charts_of(subject.network.name, curves)


def before_loss(points):
    """(BER, RMSE) while little accuracy is lost; at least of the two lowest rates."""
    known = [(p["ber"], p["rmse"]) for p in points]
    return [xy for xy, p in zip(known, points) if p["accuracy"] > 0.97 * p["golden"]][-6:] or known[:2]


def number(value):
    return f"{value:.2g}" if math.isfinite(value) else "-"


def spread(logits):
    values = [z for row in logits for z in row]
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((z - mean) ** 2 for z in values) / len(values))


def rms_error(form):
    """Of one stored value, over the root of the bit error rate: LSB times sqrt((4^B - 1) / 3)."""
    if form.startswith("q"):
        whole, fraction = map(int, form[1:].split("."))
        bits, step = 1 + whole + fraction, 2.0 ** -fraction
    else:
        bits = int(form[3:].split("/")[0])
        step = float(form.split("=")[1]) / (2 ** (bits - 1) - 1)
    return step * math.sqrt((4 ** bits - 1) / 3)


def study_widths(subject, found):
    """Parts of the text from (sweep, points)."""
    parts = []
    for target in ("weight", "activation"):
        mine = [(s, points) for s, points in found if s.target == target]
        if not mine:
            continue
        reference, base = next((s, points) for s, points in mine if s.form.startswith("int16"))
        rows = []
        for s, points in mine:
            row = [f"{s.label}", f"{rms_error(s.form) / rms_error(reference.form):.3f}"]
            for p, b in zip(points, base):
                rmse, low, high = estimate.rmse_of_runs(p)
                row.append(f"{rmse / b['rmse']:.2f} ({low / b['rmse']:.2f} to {high / b['rmse']:.2f})")
            row.append(common.share(points[0]["golden"], 1))
            row += [f"{common.share(p['accuracy'], 1)} ({common.share(p['ci'][0], 1)} to "
                    f"{common.share(p['ci'][1], 1)})" for p in points]
            rows.append(row)
        rates = [f"{p['ber']:g}" for p in base]
        parts += [f"### Formats of {target}s at equal bit error rates",
                  f"`law`: RMSE of one stored value over that of {reference.label}; beside it the "
                  f"same of the logits, bit level, with its interval, and the accuracy in %. Range of "
                  f"the integers {reference.form.split('=')[1]}.",
                  common.table(["format", "law", *(f"RMSE at {r}" for r in rates), "golden %",
                                *(f"accuracy at {r}" for r in rates)], rows)]
    return parts


def collect(bitseer, state, key, sweeps, rates, runs, options):
    """(sweep, points) of what is finished."""
    found = []
    for sweep in sweeps:
        count = runs if sweep.target == "weight" else max(3, runs // 5)
        points = state.piece(f"{key} {sweep.target} {sweep.form} {' '.join(sweep.only)}".strip() +
                             f", {rates}, {count} runs", one_sweep, bitseer, SUBJECTS[key], sweep,
                             rates, count, options)
        if points:
            found.append((sweep, points))
    return found


def main():
    p = common.parser(__doc__, "onecurve")
    p.add_argument("--networks", default=",".join(SUBJECTS), help="some of %(default)s")
    p.add_argument("--runs", type=int,
                   help="error patterns of weights at each rate, of activations a fifth (demo 40, "
                        "ResNet-20 16)")
    p.add_argument("--seed", type=int, default=1, help="of the error patterns (1)")
    options = common.parse(p, needs_data=False)
    bitseer = common.Bitseer(options)
    state = common.State(options, {"seed": options.seed})
    parts, charts = ["# One curve",
                     "Accuracy against the RMSE of the logits, bit-level sweeps, errors of weights "
                     "or of activations."], []
    for key in options.networks.split(","):
        subject = SUBJECTS[key]
        if not options.data and subject.network is not common.DEMO:
            continue
        runs = options.runs or subject.runs
        found = collect(bitseer, state, key, sweeps_of(subject), RATES, runs, options)
        widths = collect(bitseer, state, key, widths_of(subject), WIDTH_RATES, 2 * runs, options)
        if found:
            more, drawn = study_curve(subject, runs, found,
                                      *golden_logits(bitseer, options.state, subject))
            parts += more
            charts += drawn
        parts += study_widths(subject, widths)
    if charts:
        common.write_picture(options.output, "onecurve.svg",
                             pictures.picture(charts, 2, "Accuracy against RMSE, and against BER"))
        parts.insert(2, "![accuracy against RMSE of the logits](onecurve.svg)")
    common.write(options.output, "onecurve.py", parts, bitseer, state)


if __name__ == "__main__":
    common.start(main)
