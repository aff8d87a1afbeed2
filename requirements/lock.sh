#!/bin/sh
# Resolves the requirement files again: exact versions with hashes, for Linux and macOS, Python 3.11 and newer.
#
#   sh requirements/lock.sh              keep every version that still fits
#   sh requirements/lock.sh --upgrade    use the newest of each
#
# dev.txt is the one resolution; run.txt, native.txt and build.txt are subsets of it, gateway.txt is an addition, and
# uv.txt locks the installer. They are the lock: uv.lock would name the package registry that it was made with; these
# files name none.
set -eu
cd "$(dirname "$0")/.."

resolve() {
    output=requirements/$1.txt
    shift
    .uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-package bossjy --no-emit-package bossjy-server --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --output-file "$output" "$@" >/dev/null
    echo "$output"
}

resolve dev "$@" --extra native server/pyproject.toml clients/python/pyproject.toml \
    --group pyproject.toml:build --group pyproject.toml:dev
resolve run server/pyproject.toml clients/python/pyproject.toml --constraint requirements/dev.txt
resolve build --group pyproject.toml:build --constraint requirements/dev.txt
resolve native server/pyproject.toml clients/python/pyproject.toml --extra native --constraint requirements/dev.txt
resolve gateway "$@" --group pyproject.toml:gateway --constraint requirements/dev.txt
resolve uv "$@" --group pyproject.toml:uv
