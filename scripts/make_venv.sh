#!/usr/bin/env bash
# Make the virtual environment, or say exactly what is missing and how to get it. Plain bash 3.2: macOS has no newer one.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=$1
venv=$2

is_new_enough() {
  command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

python=$wanted
if [ "$wanted" = python3 ]; then # nobody named one: take the first that will do
  for name in python3 python3.11 python3.12 python3.13 python3.14; do
    if is_new_enough "$name"; then
      python=$name
      break
    fi
  done
fi
if ! is_new_enough "$python"; then
  found=$("$python" -V 2>&1) || found="not found"
  echo "Yanshu needs Python 3.11 or newer; '$python' is $found." >&2
  echo "  Debian, Ubuntu:  sudo apt install python3 python3-venv" >&2
  echo "  macOS:           brew install python@3.12" >&2
  echo "  or name one:     make setup PYTHON=/path/to/python3.12" >&2
  exit 1
fi

# One that was made before and works is kept; a half-made one must never look finished to make.
if "$venv/bin/python" -m pip --version >/dev/null 2>&1 && is_new_enough "$venv/bin/python"; then
  exit 0
fi
rm -rf "$venv"
trap 'status=$?; if [ "$status" -ne 0 ]; then rm -rf "$venv"; fi' EXIT
trap 'exit 130' INT TERM HUP

# Debian and Ubuntu pack ensurepip apart, in python3-venv. Whatever else can put a pip into an environment will do as well.
if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  "$python" -m venv "$venv"
elif "$python" -m virtualenv --version >/dev/null 2>&1; then
  "$python" -m virtualenv --quiet "$venv"
elif command -v virtualenv >/dev/null 2>&1; then
  virtualenv --quiet --python "$python" "$venv"
elif "$python" -c 'import pip, venv' >/dev/null 2>&1; then
  "$python" -m venv --without-pip "$venv"
  "$python" -m pip --disable-pip-version-check --quiet --python "$venv/bin/python" install --require-hashes -r requirements/build.txt
elif command -v uv >/dev/null 2>&1; then
  uv venv --quiet --seed --python "$python" "$venv"
else
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "'$python' cannot make virtual environments: it has no ensurepip, and there is no pip, virtualenv or uv to do it instead." >&2
  echo "  Debian, Ubuntu:  sudo apt install python${version}-venv" >&2
  exit 1
fi
