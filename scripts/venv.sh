#!/bin/sh
# Makes the virtual environment hold what a lock says: scripts/venv.sh run|dev. Does nothing when it already does.
# A stamp file in it remembers the lock it was made from; the development lock covers the run lock.
set -eu
cd "$(dirname "$0")/.."
kind="$1"
venv="${VENV:-.venv}"
print() { cksum "requirements/$1.lock" pyproject.toml | tr '\n' ' '; }
holds() { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.stamp-$1" 2>/dev/null)" = "$(print "$1")" ]; }

if holds "$kind" || { [ "$kind" = run ] && holds dev; }; then
    "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && exit 0
fi
if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    python="$(sh scripts/python.sh)"
    echo "Making $venv with $python" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
echo "Installing requirements/$kind.lock into $venv (once; again when the lock changes)" >&2
rm -f "$venv"/.stamp-*
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }
pip install --quiet --require-hashes -r "requirements/$kind.lock"
pip install --quiet --no-deps --no-build-isolation -e .
print "$kind" > "$venv/.stamp-$kind"
