# `make demo` and `make test` work on a fresh clone: each sets up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
LEARN := $(VENV)/ready-learn

.PHONY: help demo test check clean size speed

help:  ## say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(READY)  ## build a synthetic class, analyse it, and say where its report lies
	@$(BIN)/roomread demo --out demo

test: $(LEARN)  ## run all tests
	$(BIN)/python -m pytest -q

check: $(LEARN)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

size: ## print how large the base install is on disk
	$(PYTHON) benchmarks/size.py

speed: $(READY)  ## print start times, frames a second and memory
	$(BIN)/python benchmarks/speed.py

clean:  ## remove what make and the tools made
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo 'roomread needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12 ...'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(LEARN): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all]'
	@touch $@
