#!/usr/bin/env bash
# NWChem 7.2.3 beside another one: Debian 13 in a folder, and a command that runs its NWChem by chroot.
#
#   docker/nwchem_7.2.sh FOLDER       as root on Debian or Ubuntu; 1.5 GB
#   hybrid-propagate molecule.nw --engine nwchem --nwchem FOLDER/nwchem
set -euo pipefail

fail() {
    printf 'nwchem_7.2.sh: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 1 ] || fail "name the folder to make"
[ "$(id -u)" -eq 0 ] || fail "chroot needs root; run it as root: sudo docker/nwchem_7.2.sh $1"
mkdir -p "$1"
folder=$(cd "$1" && pwd)
"$(dirname "$0")/install.sh" roots
if [ ! -x "$folder/root/usr/bin/nwchem" ]; then
    rm -rf "$folder/root"
    echo "making Debian 13 with NWChem in $folder/root"
    mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --include=nwchem \
        trixie "$folder/root" http://deb.debian.org/debian
fi

# The top of the working folder and /tmp stand in the root under their own names, for this process alone.
# The program goes by its path: this wrapper may be first on PATH there too.
cat >"$folder/nwchem" <<WRAPPER
#!/bin/sh
root=$folder/root
top=/\$(printf %s "\$PWD" | cut -d / -f 2)
export root top
exec unshare --mount sh -ec '
for place in /tmp /dev /proc "\$top"; do
    mkdir -p "\$root\$place"
    mount --rbind "\$place" "\$root\$place"
done
here=\$PWD
export here
exec chroot "\$root" sh -c "cd \"\\\$here\" && exec \"\\\${NWCHEM_PROGRAM:-/usr/bin/nwchem}\" \"\\\$@\"" nwchem "\$@"
' nwchem "\$@"
WRAPPER
chmod +x "$folder/nwchem"
echo "$folder/nwchem"
