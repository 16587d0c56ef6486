#!/bin/sh
# Writes both locks for Python 3.11 to 3.14 on every platform, with hashes and without any address.
# LOCK_ARGS="--upgrade" takes newer versions; without it the versions of the present locks are kept where they still fit.
set -eu
cd "$(dirname "$0")/.."
uv="${VENV:-.venv}/bin/uv"
compile() {
    out="$1"
    shift
    UV_CUSTOM_COMPILE_COMMAND="make lock" "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --output-file "$out" ${LOCK_ARGS:-} \
        "$@" pyproject.toml requirements/build.in
}
compile requirements/dev.lock --extra dev
# The run lock takes its versions from the development lock: what is tested is what runs.
compile requirements/run.lock --extra demo --extra kafka --extra postgres --constraint requirements/dev.lock
