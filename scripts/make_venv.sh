#!/usr/bin/env bash
# Make the virtual environment, or say exactly what is missing and how to get it.
set -euo pipefail
python=$1
venv=$2

if ! command -v "$python" >/dev/null; then
  echo "There is no '$python'. Install Python 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv)" >&2
  echo "or name one: make setup PYTHON=/path/to/python3.12" >&2
  exit 1
fi
if ! "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'; then
  echo "Yanshu needs Python 3.11 or newer; '$python' is $("$python" -V). Name another: make setup PYTHON=python3.12" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "'$python' cannot make virtual environments. Debian, Ubuntu: sudo apt install python${version}-venv" >&2
  exit 1
fi
# A half-made environment must not look finished to make.
"$python" -m venv "$venv" || { rm -rf "$venv"; exit 1; }
