VENV := .venv
PYTHON := $(VENV)/bin/python
REQUIREMENTS := $(shell nvidia-smi >/dev/null 2>&1 && echo requirements.txt || echo requirements-cpu.txt)
INSTALLED := $(VENV)/$(REQUIREMENTS).installed
TESTS_INSTALLED := $(VENV)/requirements-test.txt.installed
BENCH_REQUIREMENTS := benchmarks/$(REQUIREMENTS)
BENCH_INSTALLED := $(VENV)/benchmarks-$(REQUIREMENTS).installed
PIP_INSTALL := $(PYTHON) -m pip --disable-pip-version-check --no-input install -qq

RECENT := import sys; sys.exit(sys.version_info < (3, 11))

.PHONY: help quickstart paper test test-slow faults bench bench-in-venv bench-scaling lint clean

help:
	@echo "make quickstart     trains on embedded scenes and writes runs/quickstart"
	@echo "make paper          fetches the public scenes and fills the paper's tables: days on a CPU, see README.md"
	@echo "make test           runs the quick tests"
	@echo "make test-slow      runs the slow tests"
	@echo "make faults         kills and damages a run in every way: an hour or so; writes results/faults.json"
	@echo "make bench          times us beside Keras and PyTorch: an hour on an idle CPU; writes results/benchmark.*"
	@echo "make bench-scaling  times training as scenes, bands and the like grow; writes results/scaling.*"
	@echo "make lint           looks for style and likely mistakes"
	@echo "make clean          removes what these commands installed and cached; keeps runs/"

quickstart: $(INSTALLED)
	@$(PYTHON) launch.py --config=configs/quickstart.py --workdir=runs/quickstart

paper: $(INSTALLED)
	@$(PYTHON) launch.py --config=configs/paper.py:tables --config.download=True

test: $(TESTS_INSTALLED)
	@$(PYTHON) -m pytest -q

test-slow: $(TESTS_INSTALLED)
	@$(PYTHON) -m pytest -q -m slow

faults: $(INSTALLED)
	@$(PYTHON) -m faults.campaign --out=results/faults.json

# The peers have an environment of their own, so that nobody else needs them.
bench:
	@$(MAKE) --no-print-directory VENV=.venv-bench bench-in-venv

bench-in-venv: $(BENCH_INSTALLED)
	@$(PYTHON) -m benchmarks.run --out=results/benchmark.json --plot=results/benchmark.png

bench-scaling: $(INSTALLED)
	@$(PYTHON) -m benchmarks.scaling --out=results/scaling.json --plot=results/scaling.png

lint: $(TESTS_INSTALLED)
	@$(PYTHON) -m ruff check .

clean:
	@rm -rf $(VENV) .venv-bench .compile_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that does not work (half made, or its Python gone) is made anew. A python3.x that
# is found may still not run: version managers put stand-ins on the path.
$(INSTALLED): requirements.txt requirements-cpu.txt constraints.txt
	@$(PYTHON) -c 'import pip; $(RECENT)' 2>/dev/null || { \
	  for python in python3.13 python3.12 python3.11 python3; do \
	    if $$python -c 'import ensurepip, venv; $(RECENT)' 2>/dev/null; then break; fi; \
	    python=; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo "No Python 3.11 or newer with the venv module was found;" \
	      "on Debian or Ubuntu: apt install python3 python3-venv" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$($$python --version)"; \
	  $$python -m venv --clear $(VENV); \
	}
	@echo "Installing $(REQUIREMENTS) into $(VENV); the first time takes some minutes"
	@$(PIP_INSTALL) -r $(REQUIREMENTS)
	@touch $@

$(TESTS_INSTALLED): $(INSTALLED) requirements-test.txt
	@$(PIP_INSTALL) -r requirements-test.txt
	@touch $@

$(BENCH_INSTALLED): $(INSTALLED) $(BENCH_REQUIREMENTS)
	@echo "Installing what the benchmark compares with into $(VENV)"
	@$(PIP_INSTALL) -r $(BENCH_REQUIREMENTS)
	@touch $@
