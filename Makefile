# Everything a developer or an operator types. `make help` lists it; CI calls the same targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Only errors are shown; what is installed is pinned in requirements/, with the hash of every file.
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
MADE := $(VENV)/.made
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready
PEERS_READY := $(VENV)/.peers-ready
# Every processor for tests that share nothing; two are enough for tests that start processes.
WORKERS ?= auto

.PHONY: help install setup peers run demo check lint fix test unit e2e bench docs lock audit clean

help: ## list these targets
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

install: $(READY) ## make .venv with what the server needs, and nothing else

setup: $(DEV_READY) ## make .venv with everything that is pinned

$(MADE):
	@scripts/make_venv.sh "$(PYTHON)" "$(VENV)"
	@touch $@

$(READY): requirements/lock.txt requirements/build.txt pyproject.toml | $(MADE)
	@echo "Installing what the server needs into $(VENV) (the first time: about a minute) ..."
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes -r requirements/lock.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(DEV_READY): requirements/dev.txt $(READY)
	@echo "Installing what the tests and checks need into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

peers: $(PEERS_READY) ## install the programs of others that the interop tests talk to, where that can be done

$(PEERS_READY): scripts/install_peers.sh tests/peers/package-lock.json | $(MADE)
	@scripts/install_peers.sh $(VENV)/peers
	@touch $@

demo: $(READY) ## messages over five protocols and back, on this machine
	@$(BIN)/python scripts/demo.py

run: $(READY) ## serve on http://127.0.0.1:8080 with the embedded store in var/
	@YANSHU_LOG_FORMAT=$${YANSHU_LOG_FORMAT:-text} $(BIN)/python -m yanshu serve

lint: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(DEV_READY)
	$(BIN)/pytest -q -n $(WORKERS) tests/unit tests/property tests/architecture

check: lint unit ## format, lint, types, imports, unit, property and architecture tests

fix: $(DEV_READY) ## format, repair what ruff can, write the generated pages anew
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@$(MAKE) --no-print-directory docs

# Two workers at most, each test file on one of them: tests that start processes and databases must not starve each other.
test: $(DEV_READY) ## every test, a real PostgreSQL and real processes included
	$(BIN)/pytest -n 2 --dist loadfile --durations 10

e2e: $(DEV_READY) ## only the tests that start real processes
	$(BIN)/pytest tests/e2e

bench: $(DEV_READY) ## measure the path; prints JSON and compares with the stored baseline
	$(BIN)/python -m tests.bench

docs: $(DEV_READY) ## write the generated pages of docs/ anew
	@$(BIN)/python scripts/make_docs.py

lock: $(DEV_READY) ## pin every dependency anew, with hashes (UPGRADE=1: newest versions)
	scripts/lock.sh $(if $(UPGRADE),--upgrade)

audit: $(DEV_READY) ## ask the advisory service about the pinned versions
	@scripts/audit.sh

clean: ## remove what was built and cached; var/ (your data) stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
