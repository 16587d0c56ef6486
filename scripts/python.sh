#!/bin/sh
# Prints the path of a Python >= 3.11 that can make virtual environments; says what is missing when there is none.
# PYTHON=path names the only one to be taken.
found=""
for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
    path="$(command -v "$name" 2>/dev/null)" || continue
    # Run it, because a version manager puts names on the path that lead nowhere.
    "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    found="$found $path"
    "$path" -c 'import ensurepip, venv' >/dev/null 2>&1 || continue
    echo "$path"
    exit 0
done
if [ -n "$found" ]; then
    echo "Found$found, but without the modules venv and ensurepip. On Debian and Ubuntu: apt-get install python3-venv" >&2
elif [ -n "${PYTHON:-}" ]; then
    echo "PYTHON=$PYTHON is not a Python 3.11 or newer that runs" >&2
else
    echo "No Python 3.11 or newer found (looked for python3.14 ... python3.11, python3, python on the path)." >&2
    echo "Install one, or name it: make PYTHON=/path/to/python3" >&2
fi
exit 3
