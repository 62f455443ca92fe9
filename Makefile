# `make help` lists what there is. Needs make, git and Python >= 3.11 with its venv module; all else goes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.DELETE_ON_ERROR:

PORT ?= 8000
# Taken from make's command line only: some environments export a HOST or a NAME that means something else.
HOST := 127.0.0.1
NAME :=
TEST_PROCESSES ?= auto
PYTEST_ARGS ?=
UV_VERSION := 0.13.8

# The first Python that is new enough; an explicit PYTHON=... is taken as it is.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

BIN := .venv/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet
READY_RUN := .venv/.ready-run
READY_DEV := .venv/.ready-dev

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	echo
	echo "PORT=8123 make run    make run HOST=0.0.0.0    make bench NAME=slots    PYTEST_ARGS='-k feed' make test"

.PHONY: run
run: $(READY_RUN) ## install, migrate, load the demo into an empty database, serve
	@$(BIN)/halfpast migrate
	$(BIN)/halfpast demo --host $(HOST) --port $(PORT)
	exec $(BIN)/halfpast serve --host $(HOST) --port $(PORT)

.PHONY: dev
dev: $(READY_DEV) ## the same, restarting when the code changes
	@$(BIN)/halfpast migrate
	$(BIN)/halfpast demo --host $(HOST) --port $(PORT)
	exec $(BIN)/halfpast serve --host $(HOST) --port $(PORT) --reload

.PHONY: test
test: $(READY_DEV) ## the whole test suite
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --maxprocesses 8 --dist loadgroup $(PYTEST_ARGS)

.PHONY: lint
lint: $(READY_DEV) ## formatting, lint, types, layers
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pip check

.PHONY: bench
bench: $(READY_DEV) ## measure against the references; NAME=... for one figure
	@$(BIN)/python -m tests.bench $(NAME)

.PHONY: format
format: $(READY_DEV) ## rewrite the code in the house format
	@$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lock
lock: .venv-tools/uv ## put what pyproject.toml asks for into the lock files; LOCK_ARGS=--upgrade for newer versions
	@compile() { .venv-tools/uv/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header $(LOCK_ARGS) "$$@"; }
	compile --group build --output-file requirements.lock
	compile --group build --group test --group lint --constraint requirements.lock --output-file requirements-dev.lock
	suites=tests/conformance/locks
	.venv-tools/uv/bin/uv pip compile $$suites/python.in --quiet --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header $(LOCK_ARGS) --output-file $$suites/python.lock
	npm --prefix $$suites install --package-lock-only --ignore-scripts --no-audit --no-fund --silent

.PHONY: clean
clean: ## remove what make built; the data under var/ stays
	@rm -rf .venv .venv-tools .venv-suites dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then echo "Halfpast needs Python 3.11 or newer; none was found." >&2; exit 1; fi
	$(PYTHON) -m venv .venv || { rm -rf .venv
		echo "'$(PYTHON) -m venv' failed (on Debian: apt install python3-venv)." >&2; exit 1; }

$(READY_RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing Halfpast into .venv ..."
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(READY_DEV): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing Halfpast and its tools into .venv ..."
	$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

.venv-tools/uv: Makefile
	@$(PYTHON) -m venv $@
	$@/bin/pip install --quiet uv==$(UV_VERSION)
	touch $@
