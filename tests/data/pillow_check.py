"""Compares bitseer's picture reader with Pillow: dump_images must print the very same values.

usage: pillow_check.py DUMP_IMAGES      (exit code 77: Pillow is not there)
"""
import array
import os
import random
import struct
import subprocess
import sys
import tempfile

try:
    from PIL import Image
except ImportError:
    print("skipped: no Pillow")
    sys.exit(77)

# p / 255 in double, rounded to float32.
VALUES = [struct.pack("f", p / 255.0) for p in range(256)]


def make_picture(mode, width, height, seed):
    """Smooth waves and noise, so that both rounding and edges of the filters show."""
    rng = random.Random(seed)
    bands = []
    for _ in range(4):
        a, b, c = rng.randrange(1, 9), rng.randrange(1, 9), rng.randrange(1, 200)
        bands.append(bytes((a * x + b * y + (x * y) // 3 + rng.randrange(c)) & 255
                           for y in range(height) for x in range(width)))
    rgba = Image.merge("RGBA", [Image.frombytes("L", (width, height), b) for b in bands])
    if mode == "LA":
        return Image.merge("LA", [rgba.getchannel(0), rgba.getchannel(3)])
    if mode == "P":
        return rgba.convert("RGB").quantize(200)
    return rgba.convert("RGB").convert(mode) if mode != "RGBA" else rgba


def write_png16(path, width, height, color_type, seed):
    """16-bit RGB (2), gray with alpha (4) or RGBA (6), which Pillow cannot write."""
    import zlib
    samples = {2: 3, 4: 2, 6: 4}[color_type]
    rng = random.Random(seed)
    raw = b"".join(b"\0" + bytes(rng.randrange(256) for _ in range(2 * samples * width))
                   for _ in range(height))

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n"
                + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def make_files(folder):
    sizes = [(61, 47), (47, 61), (300, 200), (32, 32), (33, 64), (500, 131), (256, 256), (7, 5),
             (1, 1), (3, 200)]
    seed = 0
    for width, height in sizes:
        for mode in ("RGB", "L"):
            for quality, sampling in ((95, 0), (80, 2), (30, 1)):
                seed += 1
                make_picture(mode, width, height, seed).save(
                    f"{folder}/j{seed:03d}.jpg", quality=quality, progressive=seed % 2 == 0,
                    **({"subsampling": sampling} if mode == "RGB" else {}))
        for mode in ("RGB", "RGBA", "L", "LA", "P", "1"):
            seed += 1
            extra = {"transparency": 3} if mode == "P" and seed % 2 else {}
            make_picture(mode, width, height, seed).save(f"{folder}/p{seed:03d}.png", **extra)
    for bits in (1, 2, 4):
        make_picture("L", 40, 30, bits).quantize(1 << bits).save(f"{folder}/b{bits}.png", bits=bits)
    for color_type in (2, 4, 6):
        write_png16(f"{folder}/w{color_type}.png", 50, 41, color_type, color_type)


def reference(path, channels, height, width, resize):
    """convert, then torchvision's Resize(resize) and CenterCrop((height, width))."""
    image = Image.open(path).convert("RGB" if channels == 3 else "L")
    if resize or image.size != (width, height):
        size = resize or (max(height, width) * 256 + 112) // 224
        w, h = image.size
        short, long = min(w, h), max(w, h)
        if short != size:
            long = int(size * long / short)
            image = image.resize((size, long) if w <= h else (long, size), Image.BILINEAR)
    left = int(round((image.size[0] - width) / 2.0))
    top = int(round((image.size[1] - height) / 2.0))
    image = image.crop((left, top, left + width, top + height))
    return b"".join(b"".join(VALUES[p] for p in band.tobytes()) for band in image.split())


def check(tool, folder, channels, height, width, resize):
    names = sorted(os.listdir(folder))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as labels:
        # Backwards, because the tool has to sort them.
        labels.writelines(f"{name} {i}\n" for i, name in reversed(list(enumerate(names))))
        labels.flush()
        arguments = [f"folder:{folder}", str(channels), str(height), str(width), str(resize),
                     labels.name]
        got = subprocess.run([tool, "values", *arguments], stdout=subprocess.PIPE, check=True)
        order = subprocess.run([tool, "labels", *arguments], stdout=subprocess.PIPE, check=True)
    assert order.stdout.split() == [b"%d" % i for i in range(len(names))]
    size = 4 * channels * height * width
    assert len(got.stdout) == size * len(names)
    bad = 0
    for i, name in enumerate(names):
        want = array.array("f", reference(f"{folder}/{name}", channels, height, width, resize))
        have = array.array("f", got.stdout[i * size:(i + 1) * size])
        if want != have:
            wrong = sum(a != b for a, b in zip(want, have))
            print(f"{name} {channels}x{height}x{width} resize {resize}: {wrong} values differ")
            bad += 1
    return bad


def main():
    tool = sys.argv[1]
    bad = checked = 0
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        folders = [folder]
        real = os.path.join(os.environ.get("BITSEER_DATA", "/nonexistent"), "imagenet", "jpeg")
        if os.path.isdir(real):
            folders.append(real)
        for where in folders:
            for geometry in ((3, 32, 32, 0), (1, 28, 28, 0), (3, 32, 32, 40), (3, 48, 20, 0),
                             (1, 64, 64, 64), (3, 224, 224, 256)):
                bad += check(tool, where, *geometry)
                checked += len(os.listdir(where))
    print(f"{checked} pictures compared, {bad} differ")
    sys.exit(bad != 0)


main()
