#!/bin/sh
# Resolves the requirement files again: exact versions with hashes, for Linux and macOS, Python 3.11 and newer.
#
#   sh requirements/lock.sh              keep every version that still fits
#   sh requirements/lock.sh --upgrade    use the newest of each
#
# dev.txt is the one resolution; run.txt, native.txt and build.txt are subsets of it; gateway.txt, deploy.txt and
# engines.txt are additions; docs.txt has an environment of its own; uv.txt locks the installer. They are the lock:
# uv.lock would name the package registry that it was made with; these files name none.
set -eu
cd "$(dirname "$0")/.."

resolve() {
    output=requirements/$1.txt
    shift
    .uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-package bossjy --no-emit-package bossjy-numbering --no-emit-package bossjy-server \
        --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --output-file "$output" "$@" >/dev/null
    echo "$output"
}

# The tool and the tests use all extras of the client.
resolve dev "$@" --all-extras server/pyproject.toml clients/python/pyproject.toml \
    --group pyproject.toml:build --group pyproject.toml:dev
extras="--extra cli --extra tables --extra excel"
# shellcheck disable=SC2086 # several words
resolve run $extras server/pyproject.toml clients/python/pyproject.toml --constraint requirements/dev.txt
# shellcheck disable=SC2086 # as above
resolve native $extras --extra native server/pyproject.toml clients/python/pyproject.toml \
    --constraint requirements/dev.txt
resolve build --group pyproject.toml:build --constraint requirements/dev.txt
for addition in gateway deploy engines; do
    resolve $addition "$@" --group pyproject.toml:$addition --constraint requirements/dev.txt
done
resolve docs "$@" --group pyproject.toml:docs
resolve uv "$@" --group pyproject.toml:uv
