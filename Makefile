# Two commands are enough: `make run` and `make test`. Both make the environment they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
PYTHON_BASE ?= python3
# What one process compiles serves the next, whatever the shell says: the product takes each two seconds otherwise.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test e2e check fix bench faults schedules screens lock

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

run: $(VENV)/run.stamp ## Start everything with the demo, print the address and the log-ins
	@$(PYTHON) -m config.embedded.run

test: $(VENV)/dev.stamp ## Run every test (browser tests too, where there is a browser)
	@# Three processes, for tests wait for stores and workers; in the order of their names, so that small ones end it.
	@$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

e2e: $(VENV)/dev.stamp ## Run the browser tests alone, with pictures of every page in test-results/
	@PICTURES=1 $(PYTHON) -m pytest -n 2 --dist loadfile tests/functional

check: $(VENV)/dev.stamp ## Lint, types, architecture laws, migrations
	@echo "- ruff"; $(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check --quiet .
	@echo "- mypy"; CARE_ENV=test DATABASE_URL=postgres:///x CELERY_BROKER_URL=memory:// \
	    SPINE_BASE_URL=http://127.0.0.1:9 $(PYTHON) -m mypy
	@# What asks pages of a running product is a test, and runs with the tests.
	@echo "- architecture laws and migrations"; $(PYTHON) -m pytest -q -n 2 --dist loadfile tests/architecture \
	    --ignore tests/architecture/test_role_matrix.py --ignore tests/architecture/test_urls.py

fix: $(VENV)/dev.stamp ## Repair what a machine can repair
	@$(PYTHON) -m ruff check --fix . ; $(PYTHON) -m ruff format .

bench: $(VENV)/dev.stamp ## Run the benchmarks: ratios, each measured in one run
	@$(PYTHON) -m bench

faults: $(VENV)/dev.stamp ## Run the faults: kills, freezes, outages; each ends in the check of the ledger (SEED, SEEDS, ONLY, MUTANTS)
	@SEED=$(SEED) SEEDS=$(SEEDS) ONLY=$(ONLY) SIZE=$(SIZE) MUTANTS=$(MUTANTS) $(PYTHON) -m faults

schedules: $(VENV)/dev.stamp ## Run ten thousand random schedules of people, faults and senders (SCHEDULES=n)
	@SCHEDULES=$(or $(SCHEDULES),10000) $(PYTHON) -m pytest -q tests/integration/spine/test_schedules.py

screens: $(VENV)/dev.stamp ## Draw the pictures of docs/screens.md again (needs a browser)
	@$(PYTHON) -m pytest -q tests/functional/draw_screens.py

lock: ## Write the lock files again from pyproject.toml (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url pyproject.toml -o requirements-production.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url pyproject.toml --extra embedded -o requirements.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url pyproject.toml --extra embedded --extra dev -o requirements-dev.lock

# The environment is made once for each lock file. What tests need includes what running needs.
$(VENV)/run.stamp: requirements.lock
	@$(MAKE) --no-print-directory environment LOCK=requirements.lock STAMP=$@

$(VENV)/dev.stamp: requirements-dev.lock
	@$(MAKE) --no-print-directory environment LOCK=requirements-dev.lock STAMP=$@
	@touch $(VENV)/run.stamp

.PHONY: environment
environment:
	@$(PYTHON_BASE) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	    { echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON_BASE) is another. Name one in PYTHON_BASE."; exit 1; }
	@$(PYTHON) -c 'import pip' 2>/dev/null || { echo "- Making the environment in $(VENV)"; $(PYTHON_BASE) -m venv $(VENV); }
	@echo "- Installing what $(LOCK) names (half a minute with pip)"
	@if command -v uv >/dev/null; then uv pip install --quiet --python $(PYTHON) --require-hashes -r $(LOCK); \
	    else bin/install-locked $(PYTHON) $(LOCK); fi
	@touch $(STAMP)
