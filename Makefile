# Every target makes what it needs: the environment in $(VENV), with the versions of constraints.txt, is created
# or refreshed when it is missing or older than pyproject.toml or constraints.txt, and left alone otherwise.
#
#   make demo                     assess the embedded scenario: a table here, a figure in demo/
#   make test                     run the tests;  make test ARGS="-k pbe"  for some of them
#   make test JOBS=0              in one process, as a debugger (ARGS=--pdb) needs it; JOBS=4 in four
#   make PYTHON=python3.12 ...    take another interpreter for a new environment

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
JOBS ?= 2
DIST ?= dist

BIN := $(VENV)/bin
RUN := $(BIN)/.deterrence-run
TEST := $(BIN)/.deterrence-test
LINT := $(BIN)/.deterrence-lint
BROWSER := $(BIN)/.deterrence-browser
DOCS := $(BIN)/.deterrence-docs
MUTATION := $(BIN)/.deterrence-mutation
AUDIT := $(BIN)/.deterrence-audit

PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
INSTALL := $(PIP) --build-constraint constraints.txt

# Tests of one file run one after another in one process: they share what is slow to make.
PARALLEL := -n $(JOBS) --dist loadfile

# Settings of the caller that would reach into the environment.
export PIP_USER := 0
unexport PYTHONHOME PYTHONPATH

# An environment that was copied or moved along with the checkout still points to the old place.
STAMPED := $(shell cat $(RUN) 2>/dev/null)
ifneq ($(STAMPED),$(CURDIR))
MOVED := moved
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test nightly mutation test-browser lint types format docs bench instructions wheel audit sbom clean moved

help:
	@sed -n 's/^#   //p' Makefile
	@echo "others: nightly mutation test-browser lint types format docs bench instructions wheel audit sbom clean"

demo: $(RUN)
	@mkdir -p demo
	$(BIN)/deterrence assess baltic-2017 --figure demo/baltic-2017

test: $(TEST)
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

nightly: $(TEST)
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest $(PARALLEL) --run-slow --timeout 1800 $(ARGS)

mutation: $(MUTATION)
	PATH="$(abspath $(BIN)):$$PATH" .ci/mutation $(ARGS)

test-browser: $(BROWSER)
	$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

lint: $(LINT)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: $(LINT)
	$(BIN)/python -m mypy

format: $(LINT)
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

docs: $(DOCS)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going -q -b html docs docs/_build/html
	@echo "the site: docs/_build/html/index.html"

bench: $(LINT)
	$(BIN)/python -m pytest benchmarks --benchmark-only $(ARGS)

# Instructions of pinned work beside those of another revision: make instructions AGAINST=v0.2.0
instructions: $(RUN)
	$(BIN)/python benchmarks/count_instructions.py $(AGAINST) $(ARGS)

wheel: $(RUN)
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --build-constraint constraints.txt \
		--wheel-dir $(DIST) .

audit: $(AUDIT)
	$(BIN)/python -m pip_audit --requirement constraints.txt --no-deps --disable-pip

# What the wheel brings along, in an environment of its own, as CycloneDX.
sbom: $(AUDIT)
	rm -rf build/sbom
	$(BIN)/python -m venv build/sbom
	build/sbom/bin/python -m pip --disable-pip-version-check install --quiet -c constraints.txt $(DIST)/*.whl
	$(BIN)/python -m pip_audit --path "$$(build/sbom/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
		--format cyclonedx-json --output $(DIST)/sbom.cdx.json

clean:
	rm -rf $(VENV) build dist demo docs/_build docs/figures docs/models.md docs/notebooks docs/reference/generated \
		docs/reference/command-line.md docs/reference/scenario-files.md docs/scenarios \
		.benchmarks .hypothesis .mypy_cache .nox .pytest_cache .ruff_cache
	find deterrence tests benchmarks notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): pyproject.toml constraints.txt $(MOVED)
	@command -v $(PYTHON) >/dev/null || { \
		echo "no Python named '$(PYTHON)' was found; name one of 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@if ! $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "deterrence needs Python 3.11 \
	or newer, and $(PYTHON) is {}.{}; name another: make PYTHON=python3.12 ...".format(*v[:2]))' || exit 1; \
		echo "making the environment $(VENV) with $(PYTHON)"; \
		$(PYTHON) -m venv $$(test -f $(VENV)/pyvenv.cfg && echo --clear) $(VENV) || exit 1; \
	fi
	@echo "installing what constraints.txt names; the first time takes a minute or two"
	@$(PIP) pip
	@$(INSTALL) -e .
	@echo "$(CURDIR)" > $@

$(TEST): $(RUN)
	@echo "installing what the tests need"
	@$(INSTALL) -e ".[test]"
	@touch $@

$(LINT): $(TEST)
	@echo "installing what the checks and benchmarks need"
	@$(INSTALL) -e . --group lint --group bench
	@touch $@

$(BROWSER): $(TEST)
	@echo "installing what the tests in a browser need; the browser itself comes from the system"
	@$(INSTALL) -e . --group browser
	@touch $@

$(MUTATION): $(TEST)
	@$(INSTALL) -e . --group mutation
	@touch $@

$(AUDIT): $(RUN)
	@echo "installing what looks for known vulnerabilities"
	@$(INSTALL) --group audit
	@touch $@

$(DOCS): $(TEST)
	@echo "installing what the site needs"
	@$(INSTALL) -e . --group docs
	@touch $@
