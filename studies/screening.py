#!/usr/bin/env python3
"""How often screening takes a critical fault for a harmless one.

usage: studies/screening.py [options]

Random weight faults of three networks - ResNet-20, MobileNetV2 with 1001 classes, ResNet-20 in 8-bit
integers - on 100 images, screened with theta 0.1, and of the (fault, image) pairs that are skipped
66,700 are evaluated all the same in each: 200,000 in all. How many of those are critical?

Time on two cores: 10 seconds for ResNet-20 and for the int8 network each, 6 minutes for MobileNetV2.
Finished networks are kept in --state; start it again to go on. Writes docs/studies/screening.md.

A tiny try: studies/screening.py --checks 300 --images 5 --state /tmp/try --output /tmp/try.md"""
import math

import common

IMAGES = 100


def one_network(bitseer, network, faults, checks, options):
    words = ["--target", options.target, "--plan", f"random:{faults}", "--seed", str(options.seed),
             "--screen", str(options.theta), "--screen-check", str(checks)]
    result = bitseer.measure("inject", network, words, str(options.images))
    return {**result["screening"], "critical": result["total"]["critical"],
            "seconds": result["performance"]["seconds"]}


def upper_bound(missed, checked, confidence=0.95):
    """Clopper and Pearson's: the share at which so few have the chance 1 - confidence."""
    def chance(p):
        return sum(math.exp(math.lgamma(checked + 1) - math.lgamma(k + 1) -
                            math.lgamma(checked - k + 1) + k * math.log(p) +
                            (checked - k) * math.log1p(-p)) for k in range(missed + 1))
    if missed >= checked:
        return 1.0
    low, high = missed / checked, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) > 1 - confidence else (low, middle)
    return high


def main():
    p = common.parser(__doc__, "screening")
    p.add_argument("--target", default="weight", help="what is hit (weight)")
    p.add_argument("--theta", type=float, default=0.1, help="of the screening (0.1)")
    p.add_argument("--checks", type=int, default=200000, help="of all networks together (200000)")
    p.add_argument("--images", type=int, default=IMAGES, help="the first N of each network (100)")
    p.add_argument("--seed", type=int, default=1, help="of the faults (1)")
    p.add_argument("--networks", default=",".join(common.NETWORKS), help="some of %(default)s")
    options = common.parse(p)
    bitseer = common.Bitseer(options)
    deciding = ("target", "theta", "checks", "images", "seed")
    settings = {key: getattr(options, key) for key in deciding}
    state = common.State(options, settings)
    names = options.networks.split(",")
    # Draws are about: a little more, so that it is not less. Twice as many pairs as are checked.
    checks = math.ceil(1.005 * options.checks / len(names)) + 10
    faults = math.ceil(2 * checks / options.images)
    rows, total = [], {"pairs": 0, "skipped": 0, "checked": 0, "missed": 0}
    for name in names:
        network = common.NETWORKS[name]
        piece = state.piece(name, one_network, bitseer, network, faults, checks, options)
        if not piece:
            break
        for key in total:
            total[key] += piece[key]
        rows.append([network.name, piece["pairs"], piece["critical"], piece["skipped"],
                     piece["checked"], piece["missed"], common.share(piece["bound"], 4),
                     f"{piece['seconds']:.0f}"])
    if rows:
        bound = upper_bound(total["missed"], total["checked"]) * total["skipped"] / total["pairs"]
        rows.append(["together", total["pairs"], "", total["skipped"], total["checked"],
                     total["missed"], common.share(bound, 4), ""])
    common.write(options.output, "screening.py", [
        "# Screening",
        f"Random single bit flips, target {options.target}, {options.images} images, theta "
        f"{options.theta:g}. A pair is a fault in an image. `checked` are skipped pairs that were "
        f"evaluated all the same, `missed` those of them that are critical, `bound %` the upper 95 % "
        f"bound of critical pairs taken for harmless, as a share of all pairs; "
        "together: as if of one network.",
        common.table(["network", "pairs", "critical", "skipped", "checked", "missed", "bound %",
                      "seconds"], rows)])


if __name__ == "__main__":
    common.start(main)
