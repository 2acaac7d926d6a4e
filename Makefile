VENV := .venv
PYTHON := $(VENV)/bin/python
SETUP := $(shell nvidia-smi >/dev/null 2>&1 && echo cuda12 || echo cpu)
INSTALLED := $(VENV)/$(SETUP).installed
TESTS_INSTALLED := $(VENV)/test.installed
BENCH_REQUIREMENTS := benchmarks/requirements-$(SETUP).txt
BENCH_INSTALLED := $(VENV)/benchmarks-$(SETUP).installed
PIP_INSTALL := $(PYTHON) -m pip --disable-pip-version-check --no-input install -qq
# Source packages are built with the tools of locks/build.txt, so that pip downloads nothing without a hash.
LOCK_INSTALL := $(PIP_INSTALL) --require-hashes --no-build-isolation

# The quick tests spend most of their time compiling, which uses one core per process.
TEST_PROCESSES := 2

# `make lock` keeps the locked versions that still fit. `make lock UPGRADE=--upgrade` upgrades all packages,
# `make lock UPGRADE='--upgrade-package jax'` only one.
LOCK_TOOLS := pip==26.3 uv==0.13.8
COMPILE := $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command 'make lock' $(UPGRADE)
# Extras that the tests need.
LOCKED_EXTRAS := --extra datasets --extra parquet --extra svm

RECENT := import sys; sys.exit(sys.version_info < (3, 11))

.PHONY: help quickstart paper test test-slow faults fuzz fuzz-in-venv bench bench-in-venv \
  bench-scaling suite docs wheel qgis-plugin lint lock lock-in-venv clean

help:
	@echo "make quickstart     trains on Indian Pines and a simulated scene; writes runs/quickstart"
	@echo "make paper          downloads the public scenes and fills the paper's tables: days on a CPU, see docs/letter.md"
	@echo "make test           runs the quick tests"
	@echo "make test-slow      runs the slow tests"
	@echo "make faults         kills runs and damages their files: about an hour; writes results/faults*.json;"
	@echo "                    SALINAS_A=<file> uses that real scene instead of a simulated one"
	@echo "make fuzz           feeds each family of readers 200,000 mutated files: hours"
	@echo "make bench          compares our speed with Keras and PyTorch: hours on an idle CPU; writes results/benchmark.*"
	@echo "make bench-scaling  times training as scenes, bands and the like grow; writes results/scaling.*"
	@echo "make suite          compares the default with simple models on real scenes: days; writes results/suite.*;"
	@echo "                    DATA=<directory> has the scenes, ../shared/data unless given"
	@echo "make docs           builds the documentation as a site that works offline; writes runs/site"
	@echo "make wheel          builds the package of the last commit, always with the same bytes; writes runs/wheel"
	@echo "make qgis-plugin    packs the plugin for QGIS; writes runs/mtl_hsi_map.zip, see docs/qgis.md"
	@echo "make lint           checks style and common mistakes"
	@echo "make lock           updates locks/ and third_party/licences.md from pyproject.toml; see locks/README.md"
	@echo "make clean          removes what these commands installed and cached; keeps runs/"

quickstart: $(INSTALLED)
	@$(PYTHON) launch.py --config=configs/quickstart.py --workdir=runs/quickstart

paper: $(INSTALLED)
	@$(PYTHON) launch.py --config=configs/paper.py:tables --config.download=True

test: $(TESTS_INSTALLED)
	@$(PYTHON) -m pytest -q -n $(TEST_PROCESSES) --dist worksteal

test-slow: $(TESTS_INSTALLED)
	@$(PYTHON) -m pytest -q -m slow -n $(TEST_PROCESSES) --dist worksteal

faults: $(INSTALLED)
	@$(PYTHON) -m faults.campaign --out=results/faults.json $(if $(SALINAS_A),--salinas_a=$(SALINAS_A))

fuzz:
	@$(MAKE) --no-print-directory VENV=.venv-fuzz fuzz-in-venv

fuzz-in-venv: $(TESTS_INSTALLED)
	@$(PIP_INSTALL) -r fuzz/requirements.txt
	@$(PYTHON) -m fuzz.readers

# Keras and PyTorch are installed into a separate environment, because only the benchmark needs them.
bench:
	@$(MAKE) --no-print-directory VENV=.venv-bench bench-in-venv

bench-in-venv: $(BENCH_INSTALLED)
	@$(PYTHON) -m benchmarks.run --out=results/benchmark.json --plot=results/benchmark.png

bench-scaling: $(INSTALLED)
	@$(PYTHON) -m benchmarks.scaling --out=results/scaling.json --plot=results/scaling.png

suite: $(INSTALLED)
	@$(PYTHON) experiments/suite.py $(if $(DATA),--data=$(DATA))

docs: $(TESTS_INSTALLED)
	@$(PYTHON) -m sphinx -q -W --keep-going -c docs . runs/site
	@echo "runs/site/index.html"

wheel: $(INSTALLED)
	@rm -rf runs/wheel
	@mkdir -p runs/wheel/source
	@umask 022 && git archive HEAD | tar -x --no-same-permissions -C runs/wheel/source
	@umask 022 && SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(PYTHON) -m pip --disable-pip-version-check \
	  wheel -qq --no-deps --no-build-isolation -w runs/wheel runs/wheel/source
	@rm -rf runs/wheel/source
	@ls runs/wheel/*.whl

qgis-plugin: $(INSTALLED)
	@mkdir -p runs
	@$(PYTHON) -m qgis_plugin.pack runs/mtl_hsi_map.zip

lint: $(TESTS_INSTALLED)
	@$(PYTHON) -m ruff check .

lock:
	@$(MAKE) --no-print-directory VENV=.venv-lock lock-in-venv

lock-in-venv:
	$(MAKE_VENV)
	@$(PIP_INSTALL) $(LOCK_TOOLS)
	@$(COMPILE) pyproject.toml $(LOCKED_EXTRAS) -o locks/cpu.txt
	@$(COMPILE) pyproject.toml $(LOCKED_EXTRAS) --extra cuda12 -c locks/cpu.txt -o locks/cuda12.txt
	@$(COMPILE) --group test --group docs -c locks/cpu.txt -o locks/test.txt
	@$(COMPILE) --group build -o locks/build.txt
	@$(PYTHON) -m third_party.licences

clean:
	@rm -rf $(VENV) .venv-bench .venv-lock .compile_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that does not work (half made, or its Python gone) is created again. A python3.x that
# is found may still not run: version managers put stand-ins on the path.
define MAKE_VENV
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
endef

$(INSTALLED): locks/$(SETUP).txt locks/build.txt
	$(MAKE_VENV)
	@echo "Installing locks/$(SETUP).txt into $(VENV); the first time takes some minutes"
	@$(LOCK_INSTALL) -r locks/build.txt
	@$(LOCK_INSTALL) -r locks/$(SETUP).txt
	@touch $@

$(TESTS_INSTALLED): $(INSTALLED) locks/test.txt
	@$(LOCK_INSTALL) -r locks/test.txt
	@touch $@

# The lock with its hashes cannot constrain packages without hashes, so the versions alone are copied. h5py is left
# out: TensorFlow needs an older version, and no timed code uses h5py.
$(BENCH_INSTALLED): $(INSTALLED) $(BENCH_REQUIREMENTS)
	@echo "Installing what the benchmark compares with into $(VENV)"
	@sed -n '/^h5py==/d; s/^\([^ ]*==[^ ]*\).*/\1/p' locks/$(SETUP).txt > $(VENV)/locked.txt
	@$(PIP_INSTALL) -c $(VENV)/locked.txt -r $(BENCH_REQUIREMENTS)
	@touch $@
