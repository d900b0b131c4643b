#!/usr/bin/env bash
# Executes docker/Dockerfile without a container engine, then a run with each engine inside the image.
#
#   docker/execute.sh      as root on Debian or Ubuntu; 10 GB in /dev/shm or TMPDIR
#
# mmdebstrap makes the recipe's base image from Debian's archive, buildah executes the recipe by chroot.
# The base of Dockerfile.gpu is not in Debian's archive; the recipe of Apptainer has the same steps as Dockerfile.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive

fail() {
    printf 'execute.sh: %s\n' "$*" >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || fail "chroot needs root; run it as root: sudo docker/execute.sh"
docker/install.sh roots images
place=${TMPDIR:-/tmp}
[ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt 10000000 ] && place=/dev/shm
scratch=$(mktemp -d "$place/hybrid-propagate-image.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
buildah=(buildah --storage-driver vfs --root "$scratch/storage" --runroot "$scratch/run")

# What pip is configured with on this machine (certificates, local indexes) holds inside too.
volumes=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
[ -e /etc/pip.conf ] && volumes+=(--volume /etc/pip.conf:/etc/pip.conf:ro)
for folder in $(grep -ohE '(file://|[ =])/[^ ]+' /etc/pip.conf 2>/dev/null | sed -E 's,^(file://|[ =]),,'); do
    [ -d "$folder" ] && volumes+=(--volume "${folder%/simple}:${folder%/simple}:ro")
done

echo "base image: Debian 12 from its archive"
mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --include=ca-certificates \
    bookworm "$scratch/base.tar" http://deb.debian.org/debian
container=$("${buildah[@]}" from scratch)
"${buildah[@]}" add --quiet "$container" "$scratch/base.tar" / >/dev/null
"${buildah[@]}" commit --quiet --rm "$container" docker.io/library/debian:12-slim >/dev/null
rm "$scratch/base.tar"

echo "docker/Dockerfile: each step, by chroot"
mkdir "$scratch/context"
git ls-files --cached --others --exclude-standard -z | tar --create --null --files-from - |
    tar --extract --directory "$scratch/context"
"${buildah[@]}" bud --quiet --isolation chroot --pull-never "${volumes[@]}" \
    --file docker/Dockerfile --tag hybrid-propagate "$scratch/context" >/dev/null

echo "in the image: the same eight steps by both engines"
mkdir "$scratch/work"
sed -E 's/tmax +[0-9.d]+/tmax 2.0/' examples/water.nw >"$scratch/work/water.nw"
container=$("${buildah[@]}" from --pull-never hybrid-propagate)
for engine in pyscf nwchem; do
    "${buildah[@]}" run --isolation chroot --volume "$scratch/work:/run/work" "$container" -- \
        sh -c "cd /run/work && mkdir $engine && cd $engine && hybrid-propagate ../water.nw --engine $engine --surrogate none >log"
done
"${buildah[@]}" run --isolation chroot --volume "$scratch/work:/run/work" "$container" -- \
    /opt/hybrid-propagate/.venv/bin/python -c '
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.log.reader import read_log

pyscf, nwchem = (read_log(Path("/run/work", name, "log"))[0].find("Dipole moment") for name in ("pyscf", "nwchem"))
apart = np.abs(pyscf.values - nwchem.values).max()
assert pyscf.values.shape == nwchem.values.shape == (9, 3), (pyscf.values.shape, nwchem.values.shape)
assert apart < 2e-6, apart
print(f"image: 8 steps by PySCF and NWChem, dipoles within {apart:.1e} au")
'
