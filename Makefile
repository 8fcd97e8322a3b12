# `make help` lists what there is. All of it works on a fresh machine with Python 3.11 or newer, make and the network.

PY = .venv/bin/python
# Every process that tests start would compile all that it imports, which takes as long as all else at its start.
unexport PYTHONDONTWRITEBYTECODE
LOCK = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
# Tests wait more than they compute, so there are more processes than cores.
WORKERS ?= 4
STORMS ?= 40
SOURCES = operator dev tests examples $(wildcard bench)

.DEFAULT_GOAL = help
.PHONY: help setup check test chaos test-up test-down demo up down bench generate lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 16

setup: .venv ## everything pinned that landlord needs here (12 minutes the first time, then nothing)
	@$(PY) -m dev tools

.PHONY: .venv
.venv:
	@tools/bootstrap.sh

check: .venv ## the fast checks: style, types, architecture, dependencies, generated files, unit tests
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m mypy
	.venv/bin/lint-imports
	.venv/bin/deptry operator
	.venv/bin/deptry dev --config requirements/deptry.toml
	$(PY) -m pytest -q -n 2 tests/unit

test: check setup ## all checks and all tests, on real parts
	@$(PY) -m dev tools --for-tests
	$(PY) -m pytest -n $(WORKERS) --durations=20 --ignore=tests/unit

chaos: setup ## random storms for about an hour (STORMS=40 changes how many); each prints its seed
	@$(PY) -m dev tools --for-tests
	STORMS=$(STORMS) STORM_SECONDS=60 $(PY) -m pytest -v tests/chaos/test_storms.py

test-up: setup ## keep a control plane running, on which one file of tests runs in seconds: pytest tests/…
	@$(PY) -m tests.support.standing up

test-down: .venv ## end it
	@$(PY) -m tests.support.standing down

demo: setup ## see it work, from nothing to Ready, and through a lost Restate store
	@$(PY) -m dev demo

up: setup ## keep the same environment running for you
	@$(PY) -m dev up

down: .venv ## end it and remove its data
	@$(PY) -m dev down

bench: setup ## measure, each figure beside its floor from the same run
	$(PY) -m bench

generate: .venv ## write the CRD and docs/reference anew
	$(PY) -m dev reference

lock: .venv ## pin the requirements anew
	$(LOCK) -o requirements/bootstrap.txt requirements/bootstrap.in
	$(LOCK) -o requirements/build.txt requirements/build.in
	$(LOCK) -o requirements/runtime.txt pyproject.toml
	$(LOCK) -o requirements/dev.txt pyproject.toml requirements/dev.in requirements/tools.in

clean: ## remove what was made in this checkout; the cache of built tools stays
	@[ ! -x $(PY) ] || $(PY) -m dev down
	rm -rf .venv .landlord .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
