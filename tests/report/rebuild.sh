#!/bin/sh
# rebuild.sh: whether web/dist/report.html is what its sources give. Status 77 without Node.js, npm or
# the packages of web/package-lock.json.
set -eu
cd "$(dirname "$0")/../../web"

skip() {
    echo "skipped: $1"
    exit 77
}
command -v node >/dev/null || skip "no node"
command -v npm >/dev/null || skip "no npm"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp -R package.json package-lock.json build.mjs page.html style.css src "$tmp"
(cd "$tmp" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) ||
    skip "npm cannot install the packages of web/package-lock.json"
(cd "$tmp" && node build.mjs)
cmp "$tmp/dist/report.html" dist/report.html || {
    echo "web/dist/report.html is out of date: cd web && npm ci && npm run build"
    exit 1
}
