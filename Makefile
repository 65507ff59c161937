# `make help` lists the targets. Only Python 3.11 to 3.13, make and git have to be there before `make setup`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
# The tests' databases wait for the disk at every commit; in memory, where there are two gigabytes to spare, for nothing.
IN_MEMORY := $(shell test "$$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 2000000 2>/dev/null \
	&& echo /dev/shm || echo "$${TMPDIR:-/tmp}")
# Without compiled files each process would compile the tests anew before it starts, which takes longer than they do.
PYTEST := env -u PYTHONDONTWRITEBYTECODE TMPDIR=$(IN_MEMORY) $(BIN)/python -m pytest
WITHOUT_BROKER := not integration and not chaos and not browser
# Whatever is in these folders needs the broker; not even importing it saves `make unit` seconds.
BROKER_FOLDERS := tests/integration tests/chaos tests/browser
# What needs the broker waits more than it works: a process a core, each with a broker of its own, a file in one process.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile
INSTALLED := $(VENV)/installed.stamp
READY := $(VENV)/ready.stamp

# An interpreter that was named wins: make setup PYTHON=/path/to/python3.12
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)

.PHONY: help setup packages run check unit integration browser screenshots chaos test soak model figures golden bench-engine bench-pathways clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from the hashed pins, fetch Kafka's jars and ready them (some minutes, once)
	@:

$(INSTALLED): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11, 3.12 or 3.13 with its venv module is on the path;" \
		"install one (Debian: python3.11 and python3.11-venv) or name it: make setup PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(READY): $(INSTALLED) connectors/kafka/jars.lock
	$(BIN)/python -c 'from connectors.kafka.training import prepare; from streams.settings import settings_of_process; \
		prepare(settings_of_process().cache_folder)'
	@touch $@

packages: ## Debian's chromium and postgresql, which pages and databases are tested with: installed where we may, else named
	@missing=""; test -x /usr/bin/chromium || missing="chromium"; \
	ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || missing="$$missing postgresql"; \
	test -z "$$missing" || { test "$$(id -u)" = 0 && command -v apt-get > /dev/null \
		&& apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y $$missing; } \
		|| { echo "make: install the system packages that are missing (Debian: apt-get install $$missing)" >&2; exit 1; }

run: setup ## start broker, workers, gateway and a demo that sends real messages; Ctrl-C stops all of it
	$(BIN)/brobygger up --demo

check: setup ## format, lint, types and import contracts, as they have to be before a commit lands
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup ## the tests without network or broker, but for properties and what is marked long (half a minute)
	$(PYTEST) -m "$(WITHOUT_BROKER) and not hypothesis and not long and not postgresql" $(BROKER_FOLDERS:%=--ignore=%) --numprocesses auto

integration: packages setup ## the tests against the real broker, which they start themselves
	$(PYTEST) -m "integration and not chaos" $(SIDE_BY_SIDE)

browser: packages setup ## the pages in Chromium, on the real broker
	$(PYTEST) -m browser

screenshots: packages setup ## take README's pictures anew, into docs/
	$(PYTEST) -m browser --screenshots docs

chaos: setup ## kill and pause real workers: a seeded tenth of what `make soak` does
	$(PYTEST) -m chaos

test: packages setup check ## all of it, as CI runs it: check, then every test, with a seeded tenth of the long counts
	$(PYTEST) -m "$(WITHOUT_BROKER)" --numprocesses auto
	$(PYTEST) -m "integration or chaos or browser" $(SIDE_BY_SIDE)

soak: packages setup check ## as test, with the full counts instead of the tenth
	$(PYTEST) --soak -m "$(WITHOUT_BROKER)" --numprocesses auto
	$(PYTEST) --soak -m "integration or chaos or browser" $(SIDE_BY_SIDE)

# One seed, or a range; what breaks a rule is printed as a test to paste.
SEEDS ?= 0:2000
model: setup ## run histories by seed against the reference model, on all cores: make model SEEDS=0:2000, or one seed
	$(BIN)/python -m tests.model $(SEEDS) --met

figures: setup ## what the house looks like in figures: files, functions, names given twice, circles of imports
	$(BIN)/python -m tests.house.figures

golden: setup ## rewrite expected outputs, example records and the AsyncAPI document; review reads the difference
	$(BIN)/python -m tests.house.rewrite_golden

bench-engine: setup ## our engine and Kafka Streams by turns on the same broker and cores: ratio of records/s and memory
	@test -d "$(KSTREAMS)" || { echo "make: name the folder of the Kafka Streams peer: make bench-engine KSTREAMS=DIR" >&2; exit 1; }
	@command -v mvn > /dev/null || { echo "make: install Maven (Debian: maven) to build the Kafka Streams peer" >&2; exit 1; }
	mkdir -p .build/kstreams && cp -R --update --no-preserve=mode "$(KSTREAMS)/." .build/kstreams
	chmod +x .build/kstreams/run.sh && cd .build/kstreams && mvn -q -B package
	$(BIN)/python -m benchmarks.engine.compare --kstreams .build/kstreams

bench-pathways: setup ## the real job at 10k and 1M youths: events/s a core
	$(BIN)/python -m benchmarks.pathways

clean: ## remove .venv, caches and the data folder of `make run`
	rm -rf $(VENV) .brobygger .build build ./*.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
