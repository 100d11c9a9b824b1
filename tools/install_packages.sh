#!/usr/bin/env bash
# install_packages.sh SECTION...: installs what is missing of these sections of packages.txt.
# Where there is no dpkg it names the packages and goes on: their names differ elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

packages() {  # the names in one [section]
  awk -v wanted="[$1]" '/^\[/ { inside = ($1 == wanted); next } inside && NF && $1 !~ /^#/ { print $1 }' packages.txt
}

missing=()
for section in "$@"; do
  for package in $(packages "$section"); do
    command -v dpkg-query >/dev/null &&
      [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" =~ ^(installed)+$ ]] ||  # once an architecture
      missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "No apt-get here. Nibble needs what Debian calls: ${missing[*]}" >&2
  exit 0
fi
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
echo "Installing ${missing[*]}"
for package in "${missing[@]}"; do  # name:architecture
  [[ $package != *:* ]] || "${as_root[@]}" dpkg --add-architecture "${package#*:}"
done
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
