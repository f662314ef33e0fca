#!/bin/sh
# Rebuilds the page elsewhere and compares: what stands in dist/ is what the source makes.
set -eu
cd "$(dirname "$0")"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
npm ci --silent
npm run --silent build -- --outDir "$fresh" --emptyOutDir --logLevel warn
diff -r dist "$fresh"
