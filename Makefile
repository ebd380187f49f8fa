# Everything that a developer or CI does, each target with all of its own set-up.
# A fresh machine needs Python 3.11 or newer, git and make; Go as well for the tests on real API servers.

PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
WORKERS ?= 2
UV ?= uv
BUILDER ?= docker
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
EDITABLE := $(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable
# Where Python keeps no bytecode, each start would compile anew; of Kubernetes' client only the configuration is used.
BYTECODE := $(BIN)/python -m compileall -q -j 0 -x 'kubernetes/client/(models|api)/|lib2to3|/tests?/'
COMPILE := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--no-emit-package siteshift --no-emit-package siteshift-sandbox

.DEFAULT_GOAL := help
.PHONY: help install demo test check simulate bench model mutants lint docs release testbed lock clean

help:  ## Say what there is
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target words; do \
		printf '%-14s %s\n' "$$target" "$$words"; done

install: $(VENV)/.product  ## Put siteshift alone into .venv: what a site needs, no tools

demo: $(VENV)/.sandbox  ## Two sites on this machine: a planned move, a disaster, a return and a failback, in a minute or two
	@$(BIN)/siteshift demo

test: $(VENV)/.dev  ## Run all tests that can run here, and say which cannot
	@$(if $(KUBEBUILDER_ASSETS)$(shell command -v go 2>/dev/null),$(MAKE) --no-print-directory testbed || ,)\
		echo 'make test: the real API servers are not there (Go builds them): tests on them will be left out' >&2
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

check: lint testbed  ## What CI asks: style, types, layers, and every test
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

mutants: $(VENV)/.dev  ## Make small mistakes in the failover on purpose, and tell those that no test notices (ROOM=protocol)
	@PYTHONPATH=tests:. $(BIN)/python -m mutation $(ROOM)

simulate: $(VENV)/.dev  ## Tell the stories of many seeds on all cores; goes on where it stopped (SEEDS=1000000)
	@PYTHONPATH=tests $(BIN)/python -m simulation $(or $(SEEDS),1000)

bench: $(VENV)/.dev  ## Time and memory beside the real kustomize (ROWS='overlay-*' measures only some)
	@$(if $(KUBEBUILDER_ASSETS),,$(MAKE) --no-print-directory testbed)
	@$(BIN)/python -m benchmarks $(if $(ROWS),--rows $(ROWS))

model: $(VENV)/.dev  ## Look at every state of the failover protocol within large bounds: hours (ONLY='three sites' takes some)
	@PYTHONPATH=tests:. $(BIN)/python -m model $(if $(ONLY),'$(ONLY)')

lint: $(VENV)/.dev  ## Style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs  ## Build the handbook as a site into build/site; fails at a dead link
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

release: $(VENV)/.dev  ## Wheels, source archives and checksums in dist/, and the image where there is a builder
	@rm -rf dist && mkdir dist
	@cmp -s LICENSE sandbox/LICENSE || { echo 'make release: error: LICENSE and sandbox/LICENSE differ' >&2; exit 1; }
	$(BIN)/python -m hatchling build --directory dist
	cd sandbox && ../$(BIN)/python -m hatchling build --directory ../dist
	@if $(BUILDER) info >/dev/null 2>&1; then \
		$(BUILDER) build --tag siteshift:$(VERSION) . && $(BUILDER) save siteshift:$(VERSION) | gzip >dist/siteshift-$(VERSION)-image.tar.gz; \
	else echo 'make release: no image: $(BUILDER) has no daemon here (BUILDER=... names another program)' >&2; fi
	@cd dist && sha256sum -- *.whl *.tar.gz >SHA256SUMS && cat SHA256SUMS

testbed:  ## Build the real programs that tests run on, once (about ten minutes; kept in ~/.cache/siteshift)
	@$(PYTHON) tests/testbed/build.py

lock:  ## Resolve the dependencies anew and pin them by hash
	$(COMPILE) --upgrade --group dev pyproject.toml sandbox/pyproject.toml -o requirements/dev.lock
	$(COMPILE) --constraint requirements/dev.lock --group build pyproject.toml sandbox/pyproject.toml \
		-o requirements/sandbox.lock
	$(COMPILE) --constraint requirements/dev.lock --group build pyproject.toml -o requirements/product.lock
	$(COMPILE) --constraint requirements/dev.lock --only-group docs pyproject.toml -o requirements/docs.lock

clean:  ## Remove what was made here (not the testbed's cache)
	rm -rf $(VENV) build dist sandbox/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Each set of packages holds the one before it; a lock file names every package, so pip resolves nothing.
$(VENV)/.product: requirements/product.lock pyproject.toml | $(VENV)/.python
	@echo 'make: siteshift into $(VENV)'
	@$(PIP) install --quiet --no-compile --no-deps --require-hashes --requirement $<
	@$(EDITABLE) .
	@$(BYTECODE) render reconciler schemas
	@touch $@

$(VENV)/.sandbox: requirements/sandbox.lock sandbox/pyproject.toml $(VENV)/.product
	@echo 'make: the sandbox into $(VENV)'
	@$(PIP) install --quiet --no-compile --no-deps --require-hashes --requirement $<
	@$(EDITABLE) ./sandbox
	@$(BYTECODE) sandbox $(VENV)/lib
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.sandbox
	@echo 'make: the tools of the developers (pytest, mypy, ruff) into $(VENV)'
	@$(PIP) install --quiet --no-compile --no-deps --require-hashes --requirement $<
	@$(BYTECODE) $(VENV)/lib
	@touch $@

$(VENV)/.docs: requirements/docs.lock | $(VENV)/.python
	@echo 'make: MkDocs into $(VENV)'
	@$(PIP) install --quiet --no-deps --require-hashes --requirement $<
	@touch $@

$(VENV)/.python:
	@$(if $(PYTHON),,echo 'make: error: no Python 3.11 or newer found; name one with PYTHON=...' >&2; exit 1)
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@touch $@
