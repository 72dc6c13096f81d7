#!/bin/sh
# The page that segment writes, in a headless Chromium: tests/volumes/page.py. Its pictures stay in build/page.
#
#   sh tests/volumes/page.sh [PAGE.html...]    default: the one of tests/test_page.c
set -eu
cd "$(dirname "$0")/../.."
browser=
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v $name || true)
done
if [ -z "$browser" ] || ! command -v python3 >/dev/null; then
    echo "skipped: no Chromium to open the page in (sh scripts/setup.sh page installs it)"
    exit 77
fi
mkdir -p build/page
if [ $# = 0 ]; then
    TEST_FILTER=page_for_a_browser VOX_PAGE=build/page/page.html build/tests/test_page >/dev/null
    set -- build/page/page.html
fi
for page in "$@"; do python3 tests/volumes/page.py "$browser" "$page" build/page; done
