# Everything that a developer or CI does, each target with all of its own set-up.
# A fresh machine needs Python 3.11 or newer, git and make; Go as well for the tests on real API servers.

PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
WORKERS ?= 2
UV ?= uv

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench lint testbed lock clean

help:  ## Say what there is
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target words; do \
		printf '%-14s %s\n' "$$target" "$$words"; done

install: $(VENV)/.installed  ## Put siteshift and its tools into .venv, from the hash-pinned lock file
	@$(BIN)/python -m compileall -q render reconciler schemas  # where Python keeps no bytecode, each start would do it anew

demo: install  ## Two sites on this machine: a planned move, a disaster, a return and a failback, in under a minute
	@$(BIN)/siteshift demo

test: install  ## Run all tests that can run here, and say which cannot
	@$(if $(KUBEBUILDER_ASSETS)$(shell command -v go 2>/dev/null),$(MAKE) --no-print-directory testbed || ,)\
		echo 'make test: the real API servers are not there (Go builds them): tests on them will be left out' >&2
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

check: lint testbed  ## What CI asks: style, types, layers, and every test
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

bench: install  ## Time and memory beside the real kustomize (ROWS='overlay-*' measures only some)
	@$(if $(KUBEBUILDER_ASSETS),,$(MAKE) --no-print-directory testbed)
	@$(BIN)/python -m benchmarks $(if $(ROWS),--rows $(ROWS))

lint: install  ## Style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

testbed:  ## Build the real programs that tests run on, once (about ten minutes; kept in ~/.cache/siteshift)
	@$(PYTHON) tests/testbed/build.py

lock:  ## Resolve the dependencies anew and pin them by hash
	$(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade --group dev pyproject.toml -o requirements.lock

clean:  ## Remove what was made here (not the testbed's cache)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.installed: $(VENV)/.packages pyproject.toml
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.packages: requirements.lock
	@$(if $(PYTHON),,echo 'make: error: no Python 3.11 or newer found; name one with PYTHON=...' >&2; exit 1)
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@touch $@
