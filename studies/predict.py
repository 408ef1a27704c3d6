#!/usr/bin/env python3
"""How near predicted accuracies are to those of bit-level sweeps, and how much sooner they are there.

usage: studies/predict.py [options]

Each case is a network with a target: a sweep of 12 bit error rates from 1e-7 to 1e-2, 20 error patterns
on 1000 images each (MobileNetV2: 200), and `bitseer predict` of the same. A predicted accuracy is
taken for right within 1 point of the sweep's where that is above 0.8 of the fault-free one, within 3
points elsewhere; an RMSE of the logits within 5 %, at the rates up to the prediction's linear limit
where the sweep had at least 1000 flips.
A sweep is itself a sample: what is farther off, but inside the sweep's 95 % interval, is told apart
from what is not. With --runs more patterns make the intervals narrower.

Sweeps are kept, databases as well, so that predictions can be compared again after a change of the
program: --limit-time 0 begins no sweep. Predictions are made anew each time. Both run on one thread
unless --threads says otherwise; compared are the processor's seconds, as other programs may run.

Time on one core: the sweeps of the small networks 45 minutes, of MobileNetV2 an hour; predictions some
minutes. Writes docs/studies/predict.md and predict.svg beside it.

A tiny try: studies/predict.py --cases demo-int8-weight --runs 5 --state /tmp/try --output /tmp/try.md"""
import math
import os

import common
import estimate
import pictures

RATES = ",".join(f"{10 ** (-7 + 5 * k / 11):.4g}" for k in range(12))
LAYER_RATES = "1e-5,1e-4,1e-3,1e-2"
BOTH = "weight,activation"
# A prediction is right this near: where the sweep has more than KNEE of the golden accuracy, elsewhere,
# and relative, of the RMSE.
KNEE, NEAR, FAR, RMSE_NEAR = 0.8, 0.01, 0.03, 0.05
# With fewer flips in all of a sweep's runs its RMSE tells little: a few of high bits decide it, and
# Student's interval takes the squares for normal.
LEAST_FLIPS = 1000
OWN_INT8 = "weight=int8/channel,activation=int8"
INTRODUCTION = """Sweeps of 12 rates, {} error patterns each, on 1000 images (MobileNetV2: 200), against
`bitseer {}` of the same images and seed.

* Accuracy counts as `within` at most 1 point off where the sweep has more than 0.8 of the fault-free
  accuracy, 3 points elsewhere; `in interval` is farther off, but inside the sweep's own 95 % interval.
* RMSE is that of the logits, compared up to the prediction's linear limit and from 1000 flips in all
  runs, within 5 %; its interval is Student's of the squares of the sweep's runs.
* `logits %` is the accuracy that independent noise of the predicted RMSE on the golden logits would
  leave.
* Seconds are the processor's."""


class Case:
    """A network, what is hit, and how it is stored."""

    def __init__(self, key, network, images, target, form=None):
        self.key, self.network, self.images = key, network, images
        self.words = ["--target", target] + (["--format", form] if form else [])


def all_cases():
    families = [
        ("resnet8-int8", common.RESNET8, "1000", None),
        ("demo-int8", common.DEMO, "1000", "weight=int8,activation=int8"),
        ("demo-fixed", common.DEMO, "1000", "weight=q2.5,activation=q3.4"),
        ("resnet20-int8", common.NETWORKS["int8"], "1000", None),
        ("resnet20-own-int8", common.NETWORKS["resnet20"], "1000", OWN_INT8),
        ("mobilenet-own-int8", common.NETWORKS["mobilenet"], "200", OWN_INT8),
    ]
    return [Case(f"{key}-{name}", network, images, target, form)
            for key, network, images, form in families
            for name, target in (("weight", "weight"), ("activation", "activation"),
                                 ("both", BOTH))]


def one_sweep(bitseer, case, options):
    database = os.path.join(options.state, f"{case.key}-{options.runs}.db")
    words = [*case.words, "--ber", RATES, "--runs", str(options.runs), "--seed", str(options.seed)]
    return bitseer.sweep(case.network, words, database, case.images)


def one_prediction(bitseer, case, options, rates=RATES, more=()):
    words = [*case.words, "--ber", rates, "--seed", str(options.seed), *more]
    if options.accelerate:
        return bitseer.measure("sweep", case.network, [*words, "--accelerate"], case.images)
    return bitseer.measure("predict", case.network, words, case.images)


def is_linear(prediction, point):
    """Whether first order made the point's RMSE, by the rules."""
    if "linear_limit" in prediction:
        return point["ber"] <= (prediction["linear_limit"] or 0)
    return point["model"] in ("logits", "normal", "poisson")


class Comparison:
    """One rate of one case."""

    def __init__(self, case, golden, linear, swept, predicted):
        self.case, self.ber, self.model = case, swept["ber"], predicted["model"]
        self.swept, self.interval = swept["accuracy"], swept["ci"]
        self.predicted = predicted["accuracy"]
        self.off = self.predicted - self.swept
        self.allowed = NEAR if self.swept > KNEE * golden else FAR
        self.rmse, *self.rmse_interval = estimate.rmse_of_runs(swept)
        self.predicted_rmse = predicted["rmse"] or math.nan
        self.linear = linear
        self.logits = predicted.get("logits_accuracy")
        self.flips = swept["flips"]["mean"] * swept["runs"]
        self.ratio = self.predicted_rmse / self.rmse if self.rmse > 0 else math.nan

    def accuracy_verdict(self):
        if abs(self.off) <= self.allowed:
            return "yes"
        low, high = self.interval
        return "in interval" if low <= self.predicted <= high else "no"

    def rmse_verdict(self):
        """None: not compared."""
        if not self.linear or self.flips < LEAST_FLIPS or not math.isfinite(self.ratio):
            return None
        if abs(self.ratio - 1) <= RMSE_NEAR:
            return "yes"
        low, high = self.rmse_interval
        return "in interval" if low <= self.predicted_rmse <= high else "no"

    def row(self):
        low, high = self.interval
        return [f"{self.ber:.3g}", self.model, common.share(self.swept, 2),
                f"{common.share(low, 2)} to {common.share(high, 2)}",
                common.share(self.predicted, 2), f"{100 * self.off:+.2f}", self.accuracy_verdict(),
                common.share(self.logits, 1),
                number(self.rmse, 4), number(self.predicted_rmse, 4), number(self.ratio, 3),
                self.rmse_verdict() or ""]


def number(value, digits):
    return f"{value:.{digits}g}" if value is not None and math.isfinite(value) else "-"


HEAD = ["BER", "model", "sweep %", "interval", "predicted %", "off", "within", "logits %", "RMSE",
        "predicted", "ratio", "within 5 %"]


def count(verdicts):
    """"yes + in interval + no" of those that are not None."""
    known = [v for v in verdicts if v]
    return " + ".join(str(known.count(v)) for v in ("yes", "in interval", "no"))


def compare(case, sweep, prediction):
    golden = sweep["golden_correct"] / sweep["images"]
    return [Comparison(case, golden, is_linear(prediction, predicted), swept, predicted)
            for swept, predicted in zip(sweep["points"], prediction["points"])]


def summary_row(case, sweep, prediction, comparisons):
    seconds = sweep["cpu_seconds"] or sweep["performance"]["seconds"]
    worst = max(comparisons, key=lambda c: abs(c.off))
    return [case.key, common.share(sweep["golden_correct"] / sweep["images"], 1),
            count(c.accuracy_verdict() for c in comparisons), f"{100 * worst.off:+.2f}",
            count(c.rmse_verdict() for c in comparisons), f"{seconds:.0f}",
            f"{prediction['cpu_seconds']:.1f}", f"{seconds / prediction['cpu_seconds']:.0f}"]


def chart(case, comparisons, golden):
    drawn = pictures.Chart(case.key, "bit error rate", "accuracy, %")
    drawn.dots("bit level, 95 %", [(c.ber, 100 * c.swept, 100 * c.interval[0], 100 * c.interval[1])
                                   for c in comparisons])
    drawn.line("predicted", [(c.ber, 100 * c.predicted) for c in comparisons])
    drawn.line("without faults", [(c.ber, 100 * golden) for c in comparisons])
    return drawn


def describe(case, prediction):
    """What was done for a case, in words."""
    words = f"`{' '.join(case.words)}`"
    if "linear_limit" not in prediction:
        return words + "; guards at " + ", ".join(
            f"{g['ber']:.3g} (measured / predicted {g['ratio']:.3f})" for g in prediction["guards"])
    return (f"{words}; linear to {prediction['linear_limit'] or 0:.3g}, normal from "
            f"{prediction['normal_limit'] or 0:.3g}; derivatives of {prediction['moment_images']} "
            f"images, {prediction['disturbed']} disturbed inferences.")


def layer_table(prediction):
    """Layer by layer: how near the predicted RMSE is, and how normal the disturbance."""
    rows = []
    for layer in prediction["layers"]:
        known = [r for r in layer["rates"] if r["measured"]]
        growth = (f"{estimate.slope([(r['ber'], r['measured']) for r in known]):.2f}"
                  if len(known) > 1 else "-")
        for r in known:
            rows.append([layer["name"], f"{r['ber']:.3g}", number(r["measured"], 3),
                         number(r["predicted"], 3),
                         number(r["predicted"] / r["measured"], 3), growth,
                         number(r["kurtosis"], 3), number(r["kurtosis_expected"], 3)])
    return common.table(["tensor", "BER", "RMSE", "predicted", "ratio", "slope", "kurtosis",
                         "expected"], rows)


def document(done, refused, layers, options):
    """Parts of the text from (case, sweep, prediction, comparisons), and (case, prediction with
    layers)."""
    method = "sweep --accelerate" if options.accelerate else "predict"
    parts = ["# Predictions against bit-level sweeps", INTRODUCTION.format(options.runs, method)]
    if done:
        every = [c for *_, comparisons in done for c in comparisons]
        provenance = done[0][2]["provenance"]
        parts += ["## Summary", "Numbers of rates: within + in interval + not.",
                  common.table(["case", "golden %", "accuracy", "worst, points", "RMSE", "sweep s",
                                "predict s", "ratio"],
                               [summary_row(*entry) for entry in done]),
                  f"All: accuracy {count(c.accuracy_verdict() for c in every)}, RMSE "
                  f"{count(c.rmse_verdict() for c in every)}. bitseer {provenance['version']}.",
                  f"![accuracy against bit error rate]({options.picture})"]
        wrong = [c for c in every if "no" in (c.accuracy_verdict(), c.rmse_verdict())]
        parts += ["## Not within, nor inside the interval",
                  common.table(["case", *HEAD], [[c.case.key, *c.row()] for c in wrong])
                  if wrong else "None."]
    if refused:
        parts += ["## Without a prediction",
                  "\n".join(f"* {key}: `{reason}`" for key, reason in refused)]
    if done:
        parts.append("## All rates")
        for case, _, prediction, comparisons in done:
            parts += [f"### {case.key}",
                      describe(case, prediction),
                      common.table(HEAD, [c.row() for c in comparisons])]
    for case, prediction in layers:
        parts += [f"## Layers, {case.key}",
                  "RMSE behind each layer at bit level and by the diagonal recursion, with the slope "
                  "of log RMSE over log BER; excess kurtosis of the disturbance beside 0.6 / (n_eff "
                  "BER).", layer_table(prediction)]
    return parts


def main():
    p = common.parser(__doc__, "predict")
    p.set_defaults(threads=1)
    p.add_argument("--cases", help="only those whose name holds one of these texts, with commas")
    p.add_argument("--runs", type=int, default=20, help="error patterns at each rate (20)")
    p.add_argument("--seed", type=int, default=1, help="of the error patterns (1)")
    p.add_argument("--accelerate", action="store_true",
                   help="`sweep --accelerate` in place of `predict`; give another --output")
    p.add_argument("--layers", default="demo-int8-activation", metavar="CASES",
                   help="cases whose layers are told, with commas (%(default)s)")
    options = common.parse(p)
    options.picture = os.path.splitext(os.path.basename(options.output))[0] + ".svg"
    bitseer = common.Bitseer(options)
    state = common.State(options, {"seed": options.seed})
    done, refused, layers = [], [], []
    for case in all_cases():
        if options.cases and not any(text in case.key for text in options.cases.split(",")):
            continue
        sweep = state.piece(f"{case.key}, {options.runs} runs", one_sweep, bitseer, case, options)
        if not sweep:
            continue
        try:
            prediction = one_prediction(bitseer, case, options)
            done.append((case, sweep, prediction, compare(case, sweep, prediction)))
            if case.key in options.layers.split(",") and not options.accelerate:
                layers.append((case, one_prediction(bitseer, case, options, LAYER_RATES, ["--layers"])))
        except common.RunFailed as failed:
            refused.append((case.key, str(failed).splitlines()[-1]))
    charts = [chart(case, comparisons, sweep["golden_correct"] / sweep["images"])
              for case, sweep, _, comparisons in done]
    if charts:
        common.write_picture(options.output, options.picture,
                             pictures.picture(charts, 3, "Accuracy against bit error rate"))
    common.write(options.output, "predict.py", document(done, refused, layers, options), bitseer,
                 state)


if __name__ == "__main__":
    common.start(main)
