"""What the studies share: the networks, calls of bitseer, results that are kept, tables."""
import argparse
import csv
import json
import os
import platform
import resource
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Network:
    """A model with its images; `images` is what --images selects. Paths are below --data, or
    absolute. Data without a colon is a data card, which says mean and std itself."""

    def __init__(self, name, model, data, images, mean=None, std=None, offset=0):
        self.name, self.model, self.data, self.images = name, model, data, images
        self.mean, self.std, self.offset = mean, std, offset

    def arguments(self, folder, images=None):
        """The command line's words for the model and its images, without the command."""
        kind, colon, path = self.data.rpartition(":")
        paths = ",".join(os.path.join(folder, part) for part in path.split(","))
        words = [os.path.join(folder, self.model), "--data", kind + colon + paths,
                 "--images", images or self.images]
        words += ["--mean", self.mean, "--std", self.std] if self.mean else []
        return words + (["--class-offset", str(self.offset)] if self.offset else [])


CIFAR10 = "cifar10:cifar10/test_first1000.bin"
NETWORKS = {
    "resnet20": Network("ResNet-20", "models/cifar10_resnet20_akamaster_bn.onnx", CIFAR10,
                        "10/class", ".4914,.4822,.4465", ".2023,.1994,.2010"),
    "mobilenet": Network("MobileNetV2", "models/tf2_mobilenet_v2_1.0_224_int8_float.onnx",
                         "planes16:imagenet/imagenet200_224.bin", "100", ".5", ".5", offset=1),
    "int8": Network("ResNet-20 int8", "models/cifar10_resnet20_akamaster_int8_qdq.onnx", CIFAR10,
                    "10/class", ".485,.456,.406", ".229,.224,.225"),
}
RESNET8 = Network("ResNet-8 int8", "models/cifar10_resnet8_mlperftiny_int8_qdq.onnx", CIFAR10, "1000",
                  "0", ".00392156862745098")
# The network that comes with the project, on Debian's dataset-fashion-mnist.
DEMO = Network("demo", os.path.join(ROOT, "models/fashion_resnet.onnx"),
               os.path.join(ROOT, "models/fashion-mnist.yaml"), "1000")


class RunFailed(Exception):
    """A run ended with another status than 0; the text is its message."""


def cpu_seconds_of_children():
    """Of all programs that were run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Bitseer:
    """Calls of the program with what is the same for all of them."""

    def __init__(self, options):
        self.program, self.folder, self.threads = options.program, options.data, options.threads

    def run(self, words):
        """The JSON of one run, with the processor's time as `cpu_seconds`."""
        if self.threads and words[0] not in ("inspect", "show"):
            words = words + ["--threads", str(self.threads)]
        before = cpu_seconds_of_children()
        done = subprocess.run([self.program, *words, "--json"], capture_output=True, text=True,
                              check=False)
        if done.returncode == 3:
            raise KeyboardInterrupt
        if done.returncode != 0:
            raise RunFailed(f"{shlex.join(words)}\n{done.stderr.strip()}")
        return {**json.loads(done.stdout), "cpu_seconds": cpu_seconds_of_children() - before}

    def measure(self, command, network, words, images=None):
        """One run on a network; `words` are options."""
        return self.run([command, *network.arguments(self.folder, images), *words, "--quiet"])

    def layers(self, network):
        """The layers of a network, as `inspect` has them."""
        return self.run(["inspect", os.path.join(self.folder, network.model)])["layers"]

    def sweep(self, network, words, database, images=None):
        """A sweep that is kept in a database: its JSON, with every point's runs as `each`, rows of
        numbers. One that was stopped goes on; its cpu_seconds are then None."""
        seconds = None
        if os.path.exists(database):
            self.run(["resume", database, "--quiet"])
        else:
            seconds = self.measure("sweep", network, [*words, "--out", database],
                                   images)["cpu_seconds"]
        result = {**self.run(["show", database]), "cpu_seconds": seconds}
        for point in result["points"]:
            point["each"] = []
        for row in csv.DictReader(self.export(database, "--csv")):
            numbers = {key: float(value) for key, value in row.items() if value}
            result["points"][int(numbers["point"])]["each"].append(numbers)
        return result

    def export(self, database, what):
        """Lines of `export`; `what` is --csv or --faults."""
        done = subprocess.run([self.program, "export", database, what], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise RunFailed(f"export {database}\n{done.stderr.strip()}")
        return done.stdout.splitlines()


def parser(document, name):
    """Options of every study; the text is the script's own."""
    p = argparse.ArgumentParser(description=document,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default=os.environ.get("BITSEER_DATA"),
                   help="folder of the networks and images (default: BITSEER_DATA)")
    p.add_argument("--program", default=os.path.join(ROOT, "build/release/bitseer"))
    p.add_argument("--threads", type=int, default=0, help="default: all processors")
    p.add_argument("--state", default=os.path.join(ROOT, "build/studies", name),
                   help="folder of what is finished (default: %(default)s)")
    p.add_argument("--output", default=os.path.join(ROOT, "docs/studies", name + ".md"))
    p.add_argument("--limit-time", type=float, metavar="MINUTES",
                   help="begin nothing new after so long; another call goes on")
    return p


def parse(p, needs_data=True):
    """The options, or the end of the program. Without data, where they are not needed, data is
    ""."""
    options = p.parse_args()
    if needs_data and not options.data:
        print("skipped: BITSEER_DATA is not set")
        sys.exit(77)
    options.data = os.path.abspath(options.data) if options.data else ""
    options.deadline = time.monotonic() + 60 * (1e9 if options.limit_time is None
                                                  else options.limit_time)
    return options


class State:
    """Finished pieces of a study, in one JSON file that is replaced as a whole. What decides the
    numbers is kept with them: a folder with pieces of other settings is refused."""

    def __init__(self, options, settings):
        os.makedirs(options.state, exist_ok=True)
        self.deadline, self.path = options.deadline, os.path.join(options.state, "state.json")
        self.kept = {"settings": settings, "pieces": {}}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as f:
                self.kept = json.load(f)
            if self.kept["settings"] != settings:
                sys.exit(f"{self.path} is of other settings: {self.kept['settings']}; "
                         f"remove it or give another --state")
        self.pieces = self.kept["pieces"]
        self.seconds = self.kept.setdefault("cpu_seconds", {})

    def piece(self, key, work, *arguments):
        """The piece of that name, work(*arguments) when there is none yet; None: no time left.
        What work raises is passed on, and nothing is kept."""
        if key not in self.pieces:
            if time.monotonic() > self.deadline:
                return None
            print(key, file=sys.stderr)
            before = cpu_seconds_of_children()
            self.pieces[key] = work(*arguments)
            self.seconds[key] = cpu_seconds_of_children() - before
            with open(self.path + ".new", "w", encoding="utf-8") as f:
                json.dump(self.kept, f, indent=1)
            os.replace(self.path + ".new", self.path)
        return self.pieces[key]


    def cost(self):
        """In words, as far as it was noted."""
        if not self.seconds:
            return "--help tells the time it takes"
        return (f"{len(self.seconds)} of {len(self.pieces)} pieces took "
                f"{sum(self.seconds.values()) / 60:.0f} minutes of one processor")


def start(main):
    """Runs main() and ends the program."""
    try:
        main()
    except RunFailed as failed:
        sys.exit(f"bitseer {failed}")
    except KeyboardInterrupt:
        print("stopped; started again it goes on", file=sys.stderr)
        sys.exit(3)


def temporary_folder():
    """For databases of single runs; gone at its end."""
    return tempfile.TemporaryDirectory(prefix="bitseer-study-")


def share(value, digits=3):
    """A share as a percentage; '-' when there is none."""
    return "-" if value is None else f"{100 * value:.{digits}f}"


def table(head, rows):
    """A Markdown table; all columns but the first are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(c) for c in line) + " |" for line in lines)


def shown_options():
    """Those that the script was called with, but for what depends on the machine."""
    shown, words = [], iter(sys.argv[1:])
    for word in words:
        if word.split("=")[0] in ("--program", "--state", "--output", "--data", "--families",
                                  "--limit-time"):
            if "=" not in word:
                next(words, None)
        else:
            shown.append(word)
    return shown


def write(path, script, parts, bitseer=None, state=None):
    """The study's document: paragraphs and tables, and what made them."""
    made = f"Made by `{shlex.join([f'studies/{script}', *shown_options()])}`; do not edit."
    if bitseer:
        version = subprocess.run([bitseer.program, "--version"], capture_output=True, text=True,
                                 check=True).stdout.split()[1]
        made += f" bitseer {version}, Python {platform.python_version()}; {state.cost()}."
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write("\n\n".join([parts[0], made, *parts[1:]]) + "\n")
    os.replace(path + ".new", path)
    print(path)


def write_picture(path, name, svg):
    """A picture of that name beside the study's document."""
    path = os.path.join(os.path.dirname(os.path.abspath(path)), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(svg)
    print(path)
