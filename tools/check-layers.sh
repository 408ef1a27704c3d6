#!/bin/sh
# Checks the #include lines of src/ and cli/: modules use only those below them, and a third-party
# header is included only in the module that owns it. Prints offending lines; status 1.
set -eu
cd "$(dirname "$0")/.."

find src cli -name '*.[ch]' | sort |
    xargs grep -nHE '^[[:space:]]*#[[:space:]]*include' /dev/null | awk -F: '
function layer(name, below,    i, n, names) {
    n = split(below " " name, names, " ")
    for (i = 1; i <= n; i++)
        may[name, names[i]] = 1
    known[name] = 1
}
function owner(module, prefixes,    i, n, names) {
    n = split(prefixes, names, " ")
    for (i = 1; i <= n; i++)
        owned[names[i]] = module
}
function complain(why) {
    print $0 "  <- " why
    bad = 1
}
BEGIN {
    # The table of src/CMakeLists.txt, written out.
    layer("base", "")
    layer("tensor", "base")
    layer("rng", "base")
    layer("store", "base")
    layer("kernels", "base")
    layer("stats", "base rng")
    layer("data", "base tensor")
    layer("graph", "base tensor")
    layer("onnx", "base tensor graph")
    layer("ops", "base tensor graph kernels")
    layer("exec", executor = "base tensor graph kernels onnx ops data")
    layer("fault", fault = executor " exec rng")
    layer("analysis", analysis = fault " fault stats")
    layer("campaign", campaign = analysis " analysis store")
    layer("protect", campaign " campaign")
    layer("predict", campaign " campaign")
    layer("report", analysis " analysis")
    layer("cli", "")

    owner("base", "cpuid.h pthread.h")
    owner("rng", "Random123/")
    owner("data", "jpeglib.h jerror.h png.h zlib.h cyaml/")
    owner("onnx", "onnx.pb-c.h protobuf-c/")
    owner("kernels", "immintrin.h")
    owner("report", "jansson.h")
    owner("store", "sqlite3.h")
    owner("cli", "yaml.h")
}
{
    split($1, path, "/")
    module = path[1] == "cli" ? "cli" : path[2]
    line = $0
    sub(/^[^:]*:[^:]*:[^"<]*/, "", line)
    quoted = substr(line, 1, 1) == "\""
    header = substr(line, 2)
    sub(/[">].*/, "", header)

    if (!(module in known))
        complain("module not in the table of tools/check-layers.sh")
    for (prefix in owned)
        if (index(header, prefix) == 1) {
            if (owned[prefix] != module)
                complain("belongs to " owned[prefix])
            next
        }
    if (!quoted || header ~ /^bitseer\//)
        next
    if (module == "cli" && header !~ /\//)
        next
    split(header, to, "/")
    if (!((module, to[1]) in may))
        complain(module " may not use " to[1])
}
END { exit bad }
'
