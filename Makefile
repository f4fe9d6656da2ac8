# SPDX-License-Identifier: EUPL-1.2
# One command per wish; `make` alone lists them. Everything runs in .venv, filled from the hash locks alone.

# Debian's own build of Python, where it can make a .venv, else the first one found: it is compiled with optimisations.
PYTHON ?= $(shell /usr/bin/python3.11 -c 'import ensurepip' 2>/dev/null && echo /usr/bin/python3.11 || echo python3.11)
# One more than there are cores: many tests wait, for a server, a clock or a browser.
JOBS ?= 3
BIN := .venv/bin
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --annotation-style=line

.DEFAULT_GOAL := help
.PHONY: help setup system demo test pytest check fmt bench timing scan tamper exposed ledger faults lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: .venv/.herse ## make .venv with every locked dependency, and the command herse in it

.venv/.python:
	@$(PYTHON) tests/support/system_packages.py --for-venv
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.locked: .venv/.python requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

.venv/.herse: .venv/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

system: ## install what the tests need and pip cannot bring (Debian, as root or with sudo), or name it
	@$(PYTHON) tests/support/system_packages.py

demo: setup ## start the demo portal and Herse before it, on loopback
	@exec $(BIN)/herse demo $(ARGS)

test: setup system check ## the gates, then all tests that were not among them: what CI runs
	@$(MAKE) --no-print-directory pytest ARGS="$(or $(ARGS),$$($(BIN)/python tests/support/pure_rooms.py --ignored))"

pytest: setup ## the tests alone; ARGS="tests/policy -x" to choose
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup ## the gates: style, types, floors of the house, pure rooms covered by their own tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/support/pure_rooms.py --jobs $(JOBS)

fmt: setup ## format, and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup system ## Herse beside nginx, in one run; ARGS=--quick for a glance
	PYTHONPATH=.:tests $(BIN)/python bench/run.py $(ARGS)

timing: setup ## whether the time of an answer tells which identifiers exist; ARGS="--pairs 400" for a glance
	PYTHONPATH=.:tests $(BIN)/python -m bench.timing $(ARGS)

scan: setup ## 1 GB of text without patient numbers: what is found by chance, how fast; ARGS="--gigabytes 0.1" for a glance
	PYTHONPATH=.:tests $(BIN)/python -m bench.scan $(ARGS)

tamper: setup ## every byte of a small ledger changed, one by one: each must be found; ARGS="--step 50" for a glance
	PYTHONPATH=.:tests $(BIN)/python -m bench.tamper --jobs 2 $(ARGS)

exposed: setup system ## who was exposed, and the list of them, from five million events; ARGS="--postgres --events 50000000" takes 30 GB
	PYTHONPATH=.:tests $(BIN)/python -m bench.exposed $(ARGS)

ledger: setup system ## how long an event waits until it is durable, on SQLite and PostgreSQL; ARGS="--rounds 1" for a glance
	PYTHONPATH=.:tests $(BIN)/python -m bench.ledger $(ARGS)

faults: setup system ## the gateway, its disks and its database end or fail under load; ARGS="--rounds 1 --only 'sqlite disk full'"
	PYTHONPATH=.:tests $(BIN)/python -m bench.faults $(ARGS)

lock: setup ## resolve pyproject.toml anew; ARGS=--upgrade for newer versions
	$(LOCK) $(ARGS) --output-file requirements.txt pyproject.toml
	$(LOCK) $(ARGS) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(LOCK) $(ARGS) --only-build-deps --build-deps-for wheel --output-file requirements-build.txt pyproject.toml

clean: ## remove what the other targets made
	rm -rf .venv build dist var *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
