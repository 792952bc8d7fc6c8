#!/usr/bin/env bash
# Pin every dependency with hashes of all its files, from the public index only: local pip settings must not leak into the lock.
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND="make lock"
unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_NO_INDEX
compile=(.venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --resolver=backtracking)
[[ "${1:-}" == "--upgrade" ]] && compile+=(--upgrade)
"${compile[@]}" --output-file=requirements/lock.txt pyproject.toml
"${compile[@]}" --output-file=requirements/build.txt requirements/build.in
"${compile[@]}" --extra=dev --constraint=requirements/lock.txt --constraint=requirements/build.txt \
  --output-file=requirements/dev.txt pyproject.toml
