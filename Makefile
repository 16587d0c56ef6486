# make run    the embedded default with the demonstration county, in a virtual environment of its own
# make test   every test, against the real servers; T="tests/rules -k ladder" chooses, SERVICES=path installs nothing
# make compiled  the hot loops as C, beside their sources; test and bench do it by themselves; DISPATCHER_COMPILED=0 leaves it
# make bench  one JSON line per figure; ONLY=prefix chooses
# make faults storms under kills and broken worlds; RUNS=n kills, SEED=s repeats, KIND=kill|broker|gateway|machine|garbage|drill|mutants
# make lint   ruff, mypy, import-linter, forbidden words        make fmt   formats and fixes
# make lock   writes the locks again; LOCK_ARGS=--upgrade takes newer versions
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
export VENV PYTHON SERVICES LOCK_ARGS
PY := $(VENV)/bin/python
RUN ?=
T ?=
ONLY ?=
RUNS ?=
SEED ?=
KIND ?=
PACKAGES := dispatcher rules adapters simulators tests bench scripts

.PHONY: help run compiled test bench faults lint fmt lock clean venv-run venv-dev services

help:
	@sed -n 's/^# //p' Makefile

venv-run:
	@sh scripts/venv.sh run

venv-dev:
	@sh scripts/venv.sh dev

# exec: Ctrl-C must reach the engine and nobody else.
run: venv-run
	@exec $(PY) -m dispatcher demo $(RUN)

services:
	@sh scripts/services.sh

compiled: venv-dev
	@$(PY) hatch_build.py

test: venv-dev services compiled
	@exec $(PY) -m pytest $(T)

bench: venv-dev compiled
	@exec $(PY) -m bench $(ONLY)

faults: venv-dev services
	@exec $(PY) -m tests.faults --kind '$(KIND)' $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED))

lint: venv-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PY) -m mypy $(PACKAGES)
	$(VENV)/bin/lint-imports
	$(PY) scripts/check_words.py

fmt: venv-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock: venv-dev
	@sh scripts/lock.sh

clean:
	rm -rf rules/_compiled dispatcher/intake/_compiled $(VENV) .services dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
