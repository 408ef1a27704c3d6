#!/usr/bin/env python3
"""How much of the complete analysis a sample of channels, or an adaptive one, has.

usage: studies/sampling.py [options]

Channels: the weights of ResNet-20 are analysed completely once (every bit of every weight, 10 images
of each class). From the CVFs of all channels that it gives, the plan channels:R is repeated 50 times
for each R: ceil(R * channels) channels of each layer are drawn; the LVF is the mean of their CVFs, the
MVF the mean of the LVFs weighted by layer size, as the program has them, and a channel that is not
drawn is taken to have its layer's LVF. Mean and greatest errors against the complete analysis stand
in one table, in the form of Table IV of DeepVigor+ (arXiv 2410.15742). A few runs of the program with
that plan show that a drawn channel has the CVF that the complete analysis has, and how far they are
off.

Batches: adaptive analyses of 8 batches of 100 images each, for weights and activations: does the
answer depend on the images (Fig. 10 there)?

Time on two cores: the complete analysis 1 hour (kept in a database in --state; start it again to go
on), the program's own samples 20 minutes, batches 5 minutes. Writes docs/studies/sampling.md.

A tiny try: studies/sampling.py --layers 0,19 --images 10 --ratios 0.1 --real 0.1 --batches 1 \\
    --margin 0.01 --state /tmp/try --output /tmp/try.md"""
import math
import os
import random

import common

NETWORK = common.NETWORKS["resnet20"]
BATCH = 100


def complete_analysis(bitseer, options):
    """Its JSON with all channels; a run that was stopped goes on."""
    database = os.path.join(options.state, "complete.db")
    if os.path.exists(database):
        bitseer.run(["resume", database, "--quiet"])
    else:
        bitseer.measure("analyze", NETWORK,
                        ["--target", "weight", "--layers", options.layers, "--sampling", "complete",
                         "--out", database], options.images)
    return summary(bitseer.run(["show", database, "--per-channel"]))


def summary(result):
    """What is compared: MVF, and of each layer its size, LVF and the CVFs of observed channels.
    Numbers of layers and channels are text, as keys in JSON are."""
    layers = {}
    for layer in result["layers"]:
        cvf = {str(c["index"]): c["vf"] for c in layer["channels"] if c["faults"]}
        layers[str(layer["index"])] = {"sites": layer["sites"], "lvf": layer["vf"], "cvf": cvf}
    return {"mvf": result["mvf"]["vf"], "ci": result["mvf"]["ci"], "layers": layers,
            "seconds": result["performance"]["seconds"]}


def resample(complete, ratio, rng):
    """What the plan channels:ratio would find."""
    layers, weights, total = {}, 0, 0
    for index, layer in complete["layers"].items():
        channels = sorted(layer["cvf"], key=int)
        drawn = rng.sample(channels, math.ceil(ratio * len(channels)))
        lvf = sum(layer["cvf"][c] for c in drawn) / len(drawn)
        layers[index] = {"lvf": lvf, "cvf": {c: layer["cvf"][c] for c in drawn}}
        total += layer["sites"] * lvf
        weights += layer["sites"]
    return {"mvf": total / weights, "layers": layers}


def errors(complete, sample):
    """Absolute errors of a sample: of every CVF, of every LVF, of the MVF."""
    cvf, lvf = [], []
    for index, layer in complete["layers"].items():
        found = sample["layers"][index]
        lvf.append(abs(found["lvf"] - layer["lvf"]))
        cvf += [abs(found["cvf"].get(c, found["lvf"]) - value) for c, value in layer["cvf"].items()]
    return cvf, lvf, [abs(sample["mvf"] - complete["mvf"])]


def mean_and_greatest(values):
    return [common.share(sum(values) / len(values), 4), common.share(max(values), 4)]


def resampled_rows(complete, options):
    rows = []
    for ratio in options.ratios.split(","):
        rng = random.Random(options.seed)
        gathered = ([], [], [])
        for _ in range(options.repeats):
            sample = errors(complete, resample(complete, float(ratio), rng))
            for all_of_it, part in zip(gathered, sample):
                all_of_it.extend(part)
        relative = sum(gathered[2]) / len(gathered[2]) / complete["mvf"]
        rows.append([f"{100 * float(ratio):g} %"] +
                    [cell for part in gathered for cell in mean_and_greatest(part)] +
                    [common.share(relative, 2)])
    return rows


def one_sample(bitseer, ratio, seed, options):
    words = ["--target", "weight", "--layers", options.layers, "--sampling", f"channels:{ratio}",
             "--seed", str(seed), "--per-channel"]
    return summary(bitseer.measure("analyze", NETWORK, words, options.images))


def real_rows(bitseer, state, complete, options):
    """The program's own samples."""
    rows = []
    for ratio in filter(None, options.real.split(",")):
        for seed in range(options.real_seeds):
            found = state.piece(f"channels:{ratio}, seed {seed}", one_sample, bitseer, ratio, seed,
                                options)
            if not found:
                return rows
            cvf, lvf, mvf = errors(complete, found)
            same = [abs(value - complete["layers"][i]["cvf"][c])
                    for i, layer in found["layers"].items() for c, value in layer["cvf"].items()]
            rows.append([f"{100 * float(ratio):g} %", seed, len(same), common.share(max(same), 4),
                         *mean_and_greatest(cvf), *mean_and_greatest(lvf),
                         common.share(mvf[0], 4), f"{found['seconds']:.0f}"])
    return rows


def one_batch(bitseer, images, target, margin):
    words = ["--target", target, "--sampling", "adaptive", "--margin", str(margin)]
    return summary(bitseer.measure("analyze", NETWORK, words, images))


def batch_rows(bitseer, state, options):
    """One row a batch, and one of means; the answers of each target."""
    rows, found = [], {"weight": [], "activation": []}
    for first in range(0, options.batches * BATCH, BATCH):
        images, row = f"{first}:{first + BATCH}", [f"{first} to {first + BATCH - 1}"]
        for target, mvfs in found.items():
            piece = state.piece(f"images {images}, {target}, margin {options.margin}", one_batch,
                                bitseer, images, target, options.margin)
            if not piece:
                return rows
            mvfs.append(piece["mvf"])
            low, high = piece["ci"]
            row += [common.share(piece["mvf"]), f"{common.share(low)} to {common.share(high)}"]
        rows.append(row)
    if rows:
        spread = ["greatest - least"]
        for mvfs in found.values():
            spread += [common.share(max(mvfs) - min(mvfs)), ""]
        rows.append(spread)
    return rows


def main():
    p = common.parser(__doc__, "sampling")
    p.add_argument("--ratios", default="0.05,0.10,0.15,0.20", help="shares of channels")
    p.add_argument("--repeats", type=int, default=50, help="draws for each ratio (50)")
    p.add_argument("--real", default="0.05,0.10", help="ratios that the program draws itself, too")
    p.add_argument("--real-seeds", type=int, default=2, help="runs for each of them (2)")
    p.add_argument("--batches", type=int, default=8, help="of 100 images (8)")
    p.add_argument("--margin", type=float, default=0.001, help="of the batches' runs (0.001)")
    p.add_argument("--seed", type=int, default=1, help="of the draws (1)")
    p.add_argument("--layers", default="all", help="of the complete analysis")
    p.add_argument("--images", help="of the complete analysis (10/class)")
    options = common.parse(p)
    bitseer = common.Bitseer(options)
    settings = {key: getattr(options, key) for key in ("layers", "images")}
    state = common.State(options, settings)
    batches = batch_rows(bitseer, state, options)
    complete = state.piece("complete", complete_analysis, bitseer, options)
    parts = ["# Sampling", "Errors are in percentage points."]
    if complete:
        channels = sum(len(layer["cvf"]) for layer in complete["layers"].values())
        parts += [f"## Samples of channels, {NETWORK.name}, weights",
                  f"Of {channels} channels, resampled {options.repeats} times from the complete "
                  f"analysis (MVF {common.share(complete['mvf'])} %, "
                  f"{complete['seconds'] / 60:.0f} minutes). A channel that is not drawn is taken to "
                  f"have its layer's mean.",
                  common.table(["channels", "CVF mean", "greatest", "LVF mean", "greatest",
                                "MVF mean", "greatest", "MVF relative %"],
                               resampled_rows(complete, options)),
                  "The program's own samples; `same channels` is the greatest difference of a drawn "
                  "channel's CVF from the complete analysis.",
                  common.table(["channels", "seed", "drawn", "same channels", "CVF mean", "greatest",
                                "LVF mean", "greatest", "MVF", "seconds"],
                               real_rows(bitseer, state, complete, options))]
    parts += ["## Batches of images",
              f"Adaptive analyses, margin {100 * options.margin:g} %, at 95 % confidence; MVF in %.",
              common.table(["images", "weights", "interval", "activations", "interval"], batches)]
    common.write(options.output, "sampling.py", parts)


if __name__ == "__main__":
    common.start(main)
