# `make demo` and `make test` work on a fresh clone: each sets up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
LEARN := $(VENV)/ready-learn
DOCS := $(VENV)/ready-docs
BACKENDS := .venv-backends
# Over three processes, as some tests wait for a page or a worker; who has none left takes some of another's.
SPREAD := --numprocesses 3 --dist worksteal
# What is compiled once need not be in each of the hundreds of processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-backends soak check docs clean size speed web quality shape coverage mutants wheel licences

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: $(READY)  ## build a synthetic class, analyse it, and say where its report lies
	@$(BIN)/roomread demo --out demo

test: $(LEARN)  ## run all tests; those of the pages need Chromium
	$(BIN)/python -m pytest -q $(SPREAD)

test-backends: $(BACKENDS)/ready  ## train on JAX and PyTorch too, in an environment of its own
	$(BACKENDS)/bin/python -m pytest -q -m 'jax or torch'

soak: $(LEARN)  ## 100,000 damaged inputs, 200 kills, a lesson of eight hours; some hours
	ROOMREAD_SOAK=1 $(BIN)/python -m pytest -q -m soak

check: $(LEARN)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(DOCS)  ## build the pages as a site, build/site/index.html; a warning is an error
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/site
	@echo build/site/index.html

quality: shape coverage mutants wheel licences docs  ## all figures of quality against their limits; half an hour

shape: $(LEARN)  ## print the package's shape: modules, functions, signatures, cycles, what is documented
	$(BIN)/python tools/shape.py

coverage: $(LEARN)  ## run all tests and print the share of lines and branches that they reach
	$(BIN)/python -m pytest -q $(SPREAD) --cov --cov-report=term

mutants: $(LEARN)  ## change the arithmetic and the gate in four thousand places and print how often no test sees it
	rm -rf mutants  # mutmut does not try again what lived before a test was added
	$(BIN)/python -m mutmut run >/dev/null
	$(BIN)/python tools/mutants.py

wheel: $(LEARN)  ## build the wheel, look into it, install it apart and use it
	$(BIN)/python tools/try_wheel.py

licences: $(LEARN)  ## list the licence of every package and network, and refuse GPL and AGPL in the base install
	$(BIN)/roomread licences
	$(BIN)/python -m pytest -q tests/app/test_licences.py

size: ## print how large the base install is on disk
	$(PYTHON) benchmarks/size.py

speed: $(READY)  ## print start times, frames a second and memory
	$(BIN)/python benchmarks/speed.py

web: $(LEARN)  ## print how soon pages come, how soon a number follows a frame, and memory; needs Chromium
	$(BIN)/python benchmarks/web.py

clean:  ## remove what make and the tools made
	rm -rf $(VENV) $(BACKENDS) demo .pytest_cache .mypy_cache .ruff_cache build dist mutants .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define say-wait
@echo 'Installing into $(@D), this once: a minute or two.'
endef

define new-venv
@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
  { echo 'roomread needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12 ...'; exit 1; }
$(PYTHON) -m venv
endef

$(READY): pyproject.toml constraints.txt
	$(say-wait)
	$(new-venv) $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(LEARN): $(READY)
	$(say-wait)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all]'
	@touch $@

$(DOCS): $(READY)
	$(say-wait)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@touch $@

# On Linux pip's PyTorch may bring NVIDIA's libraries, several gigabytes. Where pip knows a source of the build for
# processors alone (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL), it takes that one.
$(BACKENDS)/ready: pyproject.toml constraints.txt
	$(say-wait)
	$(new-venv) $(BACKENDS)
	$(BACKENDS)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --editable '.[all,backends]'
	@touch $@
