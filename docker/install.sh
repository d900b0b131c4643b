#!/usr/bin/env bash
# Installs what the project needs, part by part; parts already there are left alone.
#
#   docker/install.sh python    the package and its commands in .venv
#   docker/install.sh gpu       in that .venv, ONNX Runtime for CUDA 13 and cuDNN 9 in place of the one for CPUs
#   docker/install.sh test      the same, and what tests and checks need
#   docker/install.sh docs      in that .venv, what builds the documentation's site
#   docker/install.sh nwchem    NWChem by apt-get, where this is root and `nwchem` is missing
#   docker/install.sh chromium  Chromium and its driver, likewise
#   docker/install.sh roots     mmdebstrap, which makes a Debian root in a folder, likewise
#   docker/install.sh images    buildah, which executes an image's recipe by chroot, likewise
#
# PYTHON names the interpreter (3.11 or newer), VENV the folder of the virtual environment.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

is_recent() {
    command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13 python3.14}; do
        if is_recent "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and none was found; name one with PYTHON=/path/to/python3.11"
}

install_python() {
    local target=$1
    if [ ! -x "$venv/bin/python" ]; then
        local python
        python=$(find_python)
        "$python" -m venv "$venv" ||
            fail "$python cannot make a virtual environment (on Debian and Ubuntu: apt-get install python3-venv)"
    fi
    echo "installing $target in $venv (the first time takes a minute or two)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint constraints.txt --editable "$target" ||
        fail "pip could not install the package; is there a network, or a package index that pip knows?"
    # As pip does it for what is not editable: a shell may forbid to write bytecode, and every start compiles.
    "$venv/bin/python" -m compileall -q __init__.py adapters atomic driver surrogate
}

install_gpu() {
    local pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check)
    [ -x "$venv/bin/python" ] || fail "gpu takes the place of a part of python: name python before it"
    if "${pip[@]}" show onnxruntime-gpu >/dev/null 2>&1; then
        return
    fi
    echo "installing ONNX Runtime for GPUs in $venv"
    # Both packages have the same files: the one must go before the other comes.
    { "${pip[@]}" uninstall --yes onnxruntime && "${pip[@]}" install --constraint constraints.txt onnxruntime-gpu; } ||
        fail "pip could not install onnxruntime-gpu; is there a network, or a package index that pip knows?"
}

# install_by_apt COMMAND PURPOSE NAME PACKAGE...
install_by_apt() {
    local command=$1 purpose=$2 name=$3
    shift 3
    if command -v "$command" >/dev/null; then
        return
    fi
    local what="$purpose, and the command $command is missing"
    command -v apt-get >/dev/null || fail "$what: install $name and put it on PATH"
    [ "$(id -u)" -eq 0 ] || fail "$what: run once as root: apt-get install $*"
    echo "installing $name"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null ||
        fail "$what, and apt-get could not install it (its messages are above)"
    command -v "$command" >/dev/null || fail "apt-get installed $name, but the command $command is not on PATH"
}

install_nwchem() {
    install_by_apt nwchem "some tests compare with real NWChem" "NWChem 7.0 or newer" nwchem
}

install_chromium() {
    local purpose="a test opens the report in a browser"
    install_by_apt chromium "$purpose" "Chromium" chromium chromium-driver
    install_by_apt chromedriver "$purpose" "Chromium's driver" chromium-driver
}

install_roots() {
    install_by_apt mmdebstrap "a Debian root is made in a folder" "mmdebstrap" mmdebstrap
}

install_images() {
    install_by_apt buildah "an image's recipe is executed" "buildah" buildah
}

[ $# -gt 0 ] || fail "name what to install: python, gpu, test, docs, nwchem, chromium, roots, images"
for part in "$@"; do
    case $part in
        python) install_python . ;;
        gpu) install_gpu ;;
        test) install_python ".[test]" ;;
        docs) install_python ".[docs]" ;;
        nwchem) install_nwchem ;;
        chromium) install_chromium ;;
        roots) install_roots ;;
        images) install_images ;;
        *) fail "unknown part '$part'; accepted: python, gpu, test, docs, nwchem, chromium, roots, images" ;;
    esac
done
