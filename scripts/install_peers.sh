#!/usr/bin/env bash
# Install the programs of others that tests talk to, where that can be done: Debian's kannel and tshark, npm's smpp.
# What cannot be installed is said; its tests are skipped then, but in CI they fail. Usage: install_peers.sh FOLDER
set -euo pipefail
folder=$1
peers="$(dirname "$0")/../tests/peers"

missing=()
for program in /usr/sbin/bearerbox:kannel /usr/bin/tshark:tshark; do
    [ -x "${program%%:*}" ] || missing+=("${program##*:}")
done

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "Not installed: ${missing[*]} (that takes apt-get and root)."
    else
        echo "Installing ${missing[*]} ..."
        install_packages || echo "Not installed: ${missing[*]} (see above)."
    fi
fi

if ! command -v npm >/dev/null; then
    echo "Not installed: npm's smpp (that takes npm)."
else
    mkdir -p "$folder"
    cp "$peers/package.json" "$peers/package-lock.json" "$folder/"
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent || echo "Not installed: npm's smpp (see above)."
fi
