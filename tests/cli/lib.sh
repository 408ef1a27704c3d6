# shellcheck shell=bash disable=SC2154,SC2034
# What the cases share; $root is the source folder, $bitseer the program.
demo=$root/models/fashion_resnet.onnx
fashion=/usr/share/datasets/fashion-mnist

bitseer() {
    "$bitseer" "$@"
}

# Ends the case as skipped without Debian's dataset-fashion-mnist, whose card is in models/.
need_fashion() {
    [ -f $fashion/t10k-images-idx3-ubyte.gz ] && return
    echo "skipped: no $fashion"
    exit 77
}

# byte N, word N: one byte; four, big-endian.
byte() {
    # shellcheck disable=SC2059  # the octal number is the format
    printf "\\$(printf %03o "$1")"
}
word() {
    byte $(($1 >> 24 & 255)) && byte $(($1 >> 16 & 255)) && byte $(($1 >> 8 & 255)) && byte $(($1 & 255))
}

# make_idx SIDE LABEL...: x and y, black images of SIDE x SIDE with these labels, for idx:x,y.
make_idx() {
    local side=$1 label
    shift
    { word 2051 && word $# && word "$side" && word "$side" && head -c $((side * side * $#)) /dev/zero; } >x
    { word 2049 && word $# && for label in "$@"; do byte "$label"; done; } >y
}
