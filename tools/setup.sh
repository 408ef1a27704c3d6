#!/bin/sh
# setup.sh [test] [bench]: installs the Debian 12 packages that building and the demo need, with
# `test` also those of the tests, with `bench` those of the benchmarks. Needs root or sudo only when
# something is missing.
set -eu

packages="gcc g++ make cmake ninja-build pkg-config libc6-dev
    libprotobuf-c-dev protobuf-c-compiler libonnx-dev librandom123-dev libjansson-dev libcyaml-dev
    libjpeg62-turbo-dev libpng-dev zlib1g-dev libsqlite3-dev libyaml-dev
    dataset-fashion-mnist"
for set in "$@"; do
    case "$set" in
    test)
        packages="$packages libcmocka-dev libonnx-testdata python3 python3-pil sqlite3
            clang clang-format libclang-rt-14-dev chromium"
        command -v node >/dev/null || packages="$packages nodejs"
        ;;
    bench)
        packages="$packages libcmocka-dev"
        # Other packagings of Node.js bring npm along and conflict with Debian's.
        command -v node >/dev/null && command -v npm >/dev/null || packages="$packages nodejs npm"
        ;;
    *)
        echo "usage: $0 [test] [bench]" >&2
        exit 2
        ;;
    esac
done

fail() {
    echo "setup: $1" >&2
    # shellcheck disable=SC2086  # a list of packages
    echo "setup: bitseer needs (Debian 12 names):" $packages >&2
    echo "setup: with their like installed, 'make SETUP=true TARGET' goes on without this step" >&2
    exit 1
}

# shellcheck source=/dev/null
ID=$(. /etc/os-release 2>/dev/null && echo "${ID-}") || true
[ "$ID" = debian ] || fail "this is not Debian but '${ID:-unknown}'"

missing=""
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null) || true
    case " $status" in *" installed "*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing:$missing; installing them needs root or sudo"
    root=sudo
fi
echo "setup: installing$missing"
$root apt-get -q update
# shellcheck disable=SC2086  # a list of packages
$root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing
