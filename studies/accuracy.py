#!/usr/bin/env python3
"""How far vulnerability factors are from injection of every bit.

usage: studies/accuracy.py [options]

Channels: of a share of all channels of ResNet-20, drawn over all layers with a fixed seed, every
bit of every weight is injected directly, without screening, on every image. The truth that this
gives is compared with fault rays, screened as by default, and with method deepvigor, which knows
Conv only. The same for a few channels of MobileNetV2 (on 20 images) and of ResNet-20 in 8-bit
integers.

Activations: 500 of ResNet-20, as many of each layer; every bit of each is injected directly and
answered by screened rays.

Operands: of one channel of each layer of ResNet-20, drawn, every bit of every operand of all its
neurons is injected directly on one image, drawn too, and answered by screened rays of neurons.

Time on two cores: 15 % of ResNet-20's channels 2 hours, 12 channels of MobileNetV2 an hour, 20 of
the int8 network 5 minutes, activations 3 minutes, operands 40 minutes. Finished pieces are kept in
--state; start it again to go on. Writes docs/studies/accuracy.md, with what is finished so far.

A tiny try: studies/accuracy.py --share 0.005 --mobilenet 1 --int8 1 --activations 20 --operands 2 \\
    --images 2 --state /tmp/try --output /tmp/try.md"""
import csv
import math
import os
import random

import common

# On MobileNetV2 a channel of more weights than this takes hours.
MOST_WEIGHTS = 300
MOBILENET_IMAGES = "20"


def channels_of(layers, most_weights):
    """(layer, channel) of every channel with few enough weights."""
    return [(layer["index"], c) for layer in layers for c in range(layer["channels"])
            if layer["weight"]["elements"] // layer["channels"] <= most_weights]


def draw_share(layers, part, rng):
    """That share of the channels of every layer, at least one: every layer has its part."""
    chosen = []
    for layer in layers:
        n = max(1, round(part * layer["channels"]))
        chosen += [(layer["index"], c) for c in sorted(rng.sample(range(layer["channels"]), n))]
    rng.shuffle(chosen)  # what is finished early is of all layers
    return chosen


def outcome(bitseer, command, network, words, images):
    """(VF, seconds) of one channel."""
    result = bitseer.measure(command, network, words, images)
    return result["layers"][0]["vf"], result["performance"]["seconds"]


def where(layer, channel):
    return ["--target", "weight", "--layers", str(layer), "--channels", str(channel)]


def one_channel(bitseer, network, images, layer, channel):
    """What injection and rays find."""
    words = where(layer, channel) + ["--plan", "exhaustive"]
    return {"direct": outcome(bitseer, "inject", network, words + ["--screen", "off"], images),
            "rays": outcome(bitseer, "analyze", network, words, images)}


def one_channel_by_deepvigor(bitseer, network, images, layer, channel):
    words = where(layer, channel) + ["--method", "deepvigor", "--sampling", "complete"]
    return outcome(bitseer, "analyze", network, words, images)


def one_sample_of_activations(bitseer, network, each, seed, images):
    """[direct, ray] critical shares of random activations, so many of each layer."""
    with common.temporary_folder() as folder:
        rays, direct, listed = (os.path.join(folder, n) for n in ("rays.db", "direct.db", "list"))
        words = ["--target", "activation", "--sampling", f"random:{each}", "--seed", str(seed)]
        bitseer.measure("analyze", network, words + ["--out", rays], images)
        with open(listed, "w", encoding="ascii") as f:
            f.writelines(line + "\n" for line in bitseer.export(rays, "--faults"))
        words = ["--target", "activation", "--faults", listed, "--screen", "off"]
        bitseer.measure("inject", network, words + ["--out", direct], images)
        shares = {}
        for column, database in enumerate((direct, rays)):
            for row in csv.DictReader(bitseer.export(database, "--csv")):
                site = shares.setdefault((row["layer"], row["element"], row["pixel"]),
                                         [[0, 0], [0, 0]])
                site[column][0] += int(row["critical"])
                site[column][1] += int(row["pairs"])
        return [[critical / pairs for critical, pairs in site] for site in shares.values()]


def one_channel_of_operands(bitseer, network, layer, channel, image):
    """Every operand of every neuron of a channel on one image. Rays weigh neurons alike, injection
    faults, and neurons at the border have fewer: both are made the share of all faults."""
    words = ["--target", "operand", "--layers", str(layer), "--channels", str(channel), "--plan",
             "exhaustive"]
    kept = {}
    for method, command, more in (("direct", "inject", ["--screen", "off"]),
                                  ("rays", "analyze", [])):
        result = bitseer.measure(command, network, words + more, f"{image}:{image + 1}")
        counts = result["layers"][0]
        kept[method] = (counts["critical"] / counts["pairs"], result["performance"]["seconds"])
        kept["faults"] = counts["pairs"]
    return kept


def errors(pairs):
    """Mean and greatest |error| in points, and mean relative error where the truth is not 0."""
    off = [abs(found - truth) for truth, found in pairs]
    relative = [abs(found - truth) / truth for truth, found in pairs if truth > 0]
    return [common.share(sum(off) / len(off), 4), common.share(max(off), 4),
            common.share(sum(relative) / len(relative), 2) if relative else "-"]


def channel_rows(name, finished, planned):
    """Two rows: rays, and deepvigor where there is an answer."""
    rows = []
    for method in ("rays", "deepvigor"):
        known = [piece for piece in finished if piece.get(method)]
        if not known:
            rows.append([name, method, f"0 of {planned}"] + ["-"] * 6)
            continue
        truth = [piece["direct"][0] for piece in known]
        pairs = [(piece["direct"][0], piece[method][0]) for piece in known]
        seconds = [sum(piece[m][1] for piece in known) for m in ("direct", method)]
        rows.append([name, method, f"{len(known)} of {planned}",
                     f"{common.share(min(truth), 2)} to {common.share(max(truth), 2)}",
                     *errors(pairs), f"{seconds[0]:.0f}", f"{seconds[1]:.1f}"])
    return rows


def choose(key, layers, options, rng):
    """The channels of a network and the images they are tried on."""
    if key == "resnet20":
        return draw_share(layers, options.share, rng) if options.share else [], options.images
    if key == "mobilenet":
        small = channels_of(layers, MOST_WEIGHTS)
        return rng.sample(small, options.mobilenet), options.images or MOBILENET_IMAGES
    return rng.sample(channels_of(layers, math.inf), options.int8), options.images


def study_channels(bitseer, state, options):
    """Rows of the table, and why deepvigor has no answer."""
    rows, reasons = [], set()
    rng = random.Random(options.seed)
    for key in ("resnet20", "mobilenet", "int8"):
        network = common.NETWORKS[key]
        layers = bitseer.layers(network)
        chosen, images = choose(key, layers, options, rng)
        finished = []
        for layer, channel in chosen:
            name = f"{key} layer {layer} channel {channel}"
            piece = state.piece(name, one_channel, bitseer, network, images, layer, channel)
            if not piece:
                break
            finished.append(dict(piece))
            if layers[layer]["op"] != "Conv" or key == "int8":
                continue
            try:
                finished[-1]["deepvigor"] = state.piece(name + ", deepvigor",
                                                        one_channel_by_deepvigor, bitseer, network,
                                                        images, layer, channel)
            except common.RunFailed as failed:
                reasons.add(str(failed).splitlines()[-1])
        if finished:
            rows += channel_rows(network.name, finished, len(chosen))
    return rows, sorted(reasons)


def study_activations(bitseer, state, options):
    """The row of the table."""
    network = common.NETWORKS["resnet20"]
    each = -(-options.activations // len(bitseer.layers(network)))
    piece = state.piece(f"resnet20 {each} activations of each layer", one_sample_of_activations,
                        bitseer, network, each, options.seed, options.images)
    return [[network.name, len(piece), *errors(piece)]] if piece else []


def study_operands(bitseer, state, options):
    """The row of the table."""
    network = common.NETWORKS["resnet20"]
    rng = random.Random(options.seed)
    finished, neurons = [], 0
    for layer in bitseer.layers(network)[::-1][:options.operands]:
        index, channel, image = layer["index"], rng.randrange(layer["channels"]), rng.randrange(100)
        piece = state.piece(f"resnet20 operands of layer {index} channel {channel} image {image}",
                            one_channel_of_operands, bitseer, network, index, channel, image)
        if not piece:
            break
        finished.append(piece)
        neurons += layer["outputs"] // layer["channels"]
    if not finished:
        return []
    seconds = [sum(piece[method][1] for piece in finished) for method in ("direct", "rays")]
    return [[network.name, len(finished), neurons, sum(piece["faults"] for piece in finished),
             *errors([(piece["direct"][0], piece["rays"][0]) for piece in finished]),
             f"{seconds[0]:.0f}", f"{seconds[1]:.1f}"]]


def main():
    p = common.parser(__doc__, "accuracy")
    p.add_argument("--share", type=float, default=0.15, help="of ResNet-20's channels (0.15)")
    p.add_argument("--mobilenet", type=int, default=12, metavar="N", help="channels (12)")
    p.add_argument("--int8", type=int, default=20, metavar="N", help="channels (20)")
    p.add_argument("--activations", type=int, default=500, metavar="N", help="sites, about (500)")
    p.add_argument("--operands", type=int, default=20, metavar="N",
                   help="of a channel of each of the last N layers (20)")
    p.add_argument("--seed", type=int, default=1, help="of the draws (1)")
    p.add_argument("--images", help="in place of each network's own")
    options = common.parse(p)
    bitseer = common.Bitseer(options)
    settings = {key: getattr(options, key) for key in ("seed", "images")}
    state = common.State(options, settings)
    channels, reasons = study_channels(bitseer, state, options)
    parts = ["# Accuracy",
             "Against direct injection of every bit, on the same images. Errors are of the "
             "vulnerability factor, in percentage points; relative: of the true value, where it is "
             "not 0.",
             "## Channels (CVF), weights",
             common.table(["network", "method", "channels", "CVF %", "mean error", "greatest",
                           "relative %", "injection s", "method s"], channels)]
    if reasons:
        parts.append("Without method deepvigor:\n" + "\n".join(f"* `{r}`" for r in reasons))
    if options.activations:
        parts += ["## Activations, by screened rays",
                  common.table(["network", "sites", "mean error", "greatest", "relative %"],
                               study_activations(bitseer, state, options))]
    if options.operands:
        parts += ["## Operands, by screened rays of neurons: channels on one image",
                  common.table(["network", "channels", "neurons", "faults", "mean error", "greatest",
                                "relative %", "injection s", "method s"],
                               study_operands(bitseer, state, options))]
    common.write(options.output, "accuracy.py", parts)


if __name__ == "__main__":
    common.start(main)
