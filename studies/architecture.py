#!/usr/bin/env python3
"""Do depth, width and the number of classes decide what bit errors do?

usage: studies/architecture.py [options]

Bit-level sweeps, of weights and of activations stored in int8, of the families that families.py
trains (depth at one width, width at one depth, number of classes, trainings that differ by chance),
and of ResNet-8 and ResNet-20 where BITSEER_DATA has them. Noise to signal is the square of the
logits' RMSE over their golden spread, the standard deviation over classes. If noise and signal are
passed on alike by every layer it grows with the number of layers; if layers pass on less of the noise
it does not, beyond some depth.

Also, of the deepest networks: noise to signal behind every block (`predict --layers`), and errors in
one block's activations at a time.

Time on one core: families 15 minutes, ResNets 10. Finished sweeps are kept in --state; start it again
to go on. Writes docs/studies/architecture.md and architecture.svg beside it.

A tiny try: studies/architecture.py --runs 5 --rates 1e-3 --state /tmp/try --output /tmp/try.md"""
import json
import math
import os
import re

import common
import estimate
import pictures

# Tensors behind the stem and behind each residual block.
CHAIN = re.compile(r"/stem/relu/.*|/block\d+/relu2/.*|/Relu_output_0|/layer\d/.*/Relu_1_output_0")
MEAN, STD = "0.2860", "0.3530"  # of Fashion-MNIST, as tools/train_demo.py has them
TARGETS = ("weight", "activation")
FAMILIES = {"depth": "Depth: blocks of 16 channels",
            "width": "Width: 2 blocks",
            "classes": "Classes: 2 blocks of 16 channels",
            "chance": "Chance: 2 blocks of 16 channels, three trainings"}
RESNETS = [common.Network("ResNet-8", "models/cifar10_resnet8_mlperftiny_float.onnx", common.CIFAR10,
                          "1000", "0", ".00392156862745098"),
           common.Network("ResNet-20", "models/cifar10_resnet20_akamaster_bn.onnx", common.CIFAR10,
                          "1000", ".485,.456,.406", ".229,.224,.225")]


INTRODUCTION = """int8 storage of what is hit, bit-level sweeps on 1000 images.

* `bits`: stored, of activations those of one image.
* `spread`: standard deviation of the golden logits over the classes.
* Noise to signal: (RMSE of the logits / spread)^2, divided by the bit error rate.
* `BER of half`: where half of the fault-free accuracy is left; `-`: beyond the rates.
* In parentheses 95 % intervals, of the error patterns. Another training of the same network differs
  by more: see the last family."""
NOISE = """Errors of rate {:g} in all activations, stored in int8, bit level: squared RMSE over squared
rms of the tensors behind the stem and the blocks; `own`, the part of it that the tensor's own errors are;
kappa = (noise to signal - own) / that behind the block before. A kappa of 1 passes on all of it, and
depth adds up; below 1 it settles. The last row is that of the logits, behind average pooling."""


def member_network(folder, name, told):
    path = os.path.join(folder, name)
    if len(told["classes"]) == 10:
        return common.Network(title(told), path + ".onnx", common.DEMO.data, "1000")
    return common.Network(title(told), path + ".onnx", f"npy:{path}.images.npy,{path}.labels.npy",
                          "1000", MEAN, STD)


def title(told):
    classes = told["classes"]
    shown = f", classes {','.join(map(str, classes))}" if len(classes) < 10 else ""
    seed = f", seed {told['seed']}" if told["seed"] > 1 else ""
    return f"{told['blocks']} x {told['channels']}{shown}{seed}"


def families(options):
    """family -> networks, by ascending size."""
    path = os.path.join(options.families, "families.json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        known = json.load(f)
    sizes = {"depth": lambda told: told["blocks"], "width": lambda told: told["channels"],
             "classes": lambda told: (len(told["classes"]), told["classes"]),
             "chance": lambda told: told["seed"]}
    return {family: [member_network(options.families, name, told) for name, told in
                     sorted(known.items(), key=lambda item: size(item[1]))
                     if family in told["families"]] for family, size in sizes.items()}


def one_network(bitseer, network, options):
    """Sweeps of both targets, and the golden logits' spread over classes."""
    found = {}
    with common.temporary_folder() as folder:
        logits = os.path.join(folder, "logits.npy")
        golden = bitseer.measure("eval", network, ["--logits", logits])
        found["golden"] = golden["correct"] / golden["images"]
        found["spread"] = spread(estimate.read_npy(logits))
        for target in TARGETS:
            runs = options.runs if target == "weight" else max(3, options.runs // 5)
            words = ["--target", target, "--format", f"{target}=int8", "--ber", options.rates,
                     "--runs", str(runs), "--seed", str(options.seed)]
            sweep = bitseer.sweep(network, words, os.path.join(folder, target + ".db"))
            found[target] = [{"ber": p["ber"], "bits": p["bits"], "accuracy": p["accuracy"],
                              "ci": p["ci"], "critical": p["critical"],
                              "rmse": estimate.rmse_of_runs(p)} for p in sweep["points"]]
    return found


def spread(logits):
    """Standard deviation over the classes of an image: what is common to them decides nothing."""
    squares = []
    for row in logits:
        mean = math.fsum(row) / len(row)
        squares.append(math.fsum((z - mean) ** 2 for z in row) / len(row))
    return math.sqrt(math.fsum(squares) / len(squares))


def one_position(bitseer, network, tensor, options):
    """RMSE of the logits by errors in one tensor, with its interval."""
    found = bitseer.measure("inject", network,
                            ["--target", "activation", "--format", "int8", "--tensors", tensor,
                             "--fault", f"ber:{options.position_ber}", "--plan",
                             f"random:{options.position_runs}", "--seed", str(options.seed)])
    return [found["rmse"]["value"], *found["rmse"]["ci"], found["layers"][0]["sites"]]


def block_outputs(bitseer, network):
    """Tensors behind the stem and behind every block, in order."""
    names = [t["name"] for t in bitseer.run(["inspect", network.model])["tensors"]]
    return [n for n in names if CHAIN.fullmatch(n)]


def noise_rows(bitseer, network, options):
    """Noise to signal tensor by tensor, at bit level, and how much of it a block passes on: kappa of
    eta = kappa eta' + own, eta' behind the block before, own that of the tensor's own errors."""
    told = bitseer.measure("predict", network, ["--target", "activation", "--format", "activation=int8",
                                                "--ber", str(options.position_ber), "--layers"])
    own_rms = {share["name"]: share["rms_error"] for share in told["shares"]}
    rows, before = [], None
    for layer in told["layers"]:
        if not CHAIN.fullmatch(layer["name"]) and layer["name"] != told["layers"][-1]["name"]:
            continue
        eta = (layer["rates"][0]["measured"] / layer["rms"]) ** 2
        own = (own_rms.get(layer["name"], 0) / layer["rms"]) ** 2 * options.position_ber
        rows.append([layer["name"], f"{layer['rms']:.3g}", f"{eta:.3f}", f"{own:.3f}",
                     f"{(eta - own) / before:.2f}" if before else ""])
        before = eta
    return rows


def study_noise(bitseer, network, options):
    parts = [f"### {network.name}"]
    try:
        rows = noise_rows(bitseer, network, options)
    except common.RunFailed as failed:
        return parts + [f"`{str(failed).splitlines()[-1]}`"]
    return parts + [common.table(["tensor", "rms", "noise to signal", "own", "kappa"], rows)]


def family_rows(found, target):
    """A row for each (network, its sweeps)."""
    rows = []
    for network, one in found:
        points = one[target]
        curve = [(p["ber"], p["accuracy"]) for p in points]
        half = estimate.crossing(curve, one["golden"] / 2)
        bits = points[0]["bits"] / (int(network.images) if target == "activation" else 1)
        row = [network.name, common.share(one["golden"], 1), f"{bits:.0f}",
               f"{one['spread']:.2f}", f"{half:.2g}" if math.isfinite(half) else "-"]
        for p in points:
            rmse, low, high = (r / one["spread"] for r in p["rmse"])
            low_a, high_a = (common.share(c, 1) for c in p["ci"])
            row += [f"{common.share(p['accuracy'], 1)} ({low_a} to {high_a})",
                    f"{rmse ** 2 / p['ber']:.3g} ({low ** 2 / p['ber']:.3g} to "
                    f"{high ** 2 / p['ber']:.3g})"]
        rows.append(row)
    return rows


def family_table(found, target, shown):
    """Accuracies and noise to signal at some of the rates."""
    kept = [(network, {**one, target: [p for p in one[target] if p["ber"] in shown]})
            for network, one in found]
    full = family_rows(found, target)
    rows = family_rows(kept, target)
    for row, whole in zip(rows, full):
        row[4] = whole[4]  # from all rates
    head = ["network", "golden %", "bits", "spread", "BER of half"]
    for rate in shown:
        head += [f"accuracy at {rate:.2g}", f"noise to signal / BER at {rate:.2g}"]
    return common.table(head, rows)


def charts_of(name, found):
    drawn = []
    for target in TARGETS:
        one = pictures.Chart(f"{name}: {target}s", "bit error rate", "accuracy, %")
        for network, sweeps in found:
            one.line(network.name, [(p["ber"], 100 * p["accuracy"]) for p in sweeps[target]])
        drawn.append(one)
    return drawn


def study_group(name, found, options):
    parts = [f"## {name}"]
    rates = [float(r) for r in options.shown.split(",")]
    every = [p["ber"] for p in found[0][1]["weight"]]
    shown = [min(every, key=lambda b, r=r: abs(math.log(b / r))) for r in rates]
    shown = sorted(set(shown))
    for target in TARGETS:
        parts += [f"### Errors in {target}s", family_table(found, target, shown)]
    return parts


def study_positions(bitseer, state, network, spread_of_logits, options):
    rows = []
    for tensor in block_outputs(bitseer, network):
        one = state.piece(f"{network.name} {tensor}, {options.position_ber}, "
                          f"{options.position_runs} runs", one_position, bitseer, network, tensor,
                          options)
        if not one:
            break
        rmse, low, high, sites = one
        rows.append([tensor, sites] +
                    [f"{(r / spread_of_logits) ** 2 / options.position_ber:.3g}"
                     for r in (rmse, low, high)])
    return common.table(["tensor", "values", "noise to signal / BER", "from", "to"], rows)


def main():
    p = common.parser(__doc__, "architecture")
    p.add_argument("--families", default=os.path.join(common.ROOT, "build/studies/families"),
                   help="folder that families.py wrote (default: %(default)s)")
    p.add_argument("--runs", type=int, default=50,
                   help="error patterns of weights at each rate, of activations a fifth (50)")
    p.add_argument("--rates", default="1e-5:1e-2/3", help="as --ber of sweep (%(default)s)")
    p.add_argument("--shown", default="1e-4,1e-3,4.6e-3",
                   help="rates near which the tables have columns (%(default)s)")
    p.add_argument("--position-ber", type=float, default=1e-3, help="of one block at a time (0.001)")
    p.add_argument("--position-runs", type=int, default=10,
                   help="error patterns of one block, a new one for each image (10)")
    p.add_argument("--seed", type=int, default=1, help="of the error patterns (1)")
    options = common.parse(p, needs_data=False)
    bitseer = common.Bitseer(options)
    state = common.State(options, {"seed": options.seed, "rates": options.rates})
    groups = {FAMILIES[f]: networks for f, networks in families(options).items()}
    if options.data:
        groups["ResNet-8 and ResNet-20"] = RESNETS
    parts, charts, deepest = ["# Depth, width, classes", INTRODUCTION], [], None
    for name, networks in groups.items():
        found = []
        for network in networks:
            one = state.piece(f"{network.name}, {options.runs} runs", one_network, bitseer, network,
                              options)
            if one:
                found.append((network, one))
        if not found:
            continue
        parts += study_group(name, found, options)
        charts += charts_of(name.split(":")[0], found)
        if name == FAMILIES["depth"]:
            deepest = found[-1]
    if deepest:
        network, one = deepest
        parts += [f"## One block at a time, {network.name}",
                  f"Errors of rate {options.position_ber:g} in the activations behind one block, "
                  f"stored in int8.",
                  study_positions(bitseer, state, network, one["spread"], options)]
    parts += ["## Noise to signal through the network", NOISE.format(options.position_ber)]
    for network in ([deepest[0]] if deepest else []) + (RESNETS[1:] if options.data else []):
        parts += study_noise(bitseer, network, options)
    if charts:
        common.write_picture(options.output, "architecture.svg",
                             pictures.picture(charts, 2, "Accuracy against bit error rate"))
        parts.insert(2, "![accuracy against bit error rate](architecture.svg)")
    common.write(options.output, "architecture.py", parts, bitseer, state)


if __name__ == "__main__":
    common.start(main)
