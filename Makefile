# Two commands for a newcomer: `make reproduce` and `make test`. Both set themselves up in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUT    ?= out
EXTRAS ?= test,data
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# One thread per process: the work is many small operations, which threads of BLAS only slow down.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
ROOMS  := theory solvers verification paper_figures cli

.PHONY: reproduce test test-all lint types wheel benchmarks clean

reproduce: $(VENV)/ready                ## prove, attack and measure every theorem, draw every figure, write $(OUT)/report.html
	$(BIN)/taciturn reproduce --output $(OUT)

test: $(VENV)/ready                     ## the default tests
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-all: $(VENV)/ready                 ## the slow tests too
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/developer build/types    ## type checkers cannot follow an editable install: they read a folder of links
	$(BIN)/mypy $(foreach room,$(ROOMS),-p taciturn.$(room))

wheel: $(VENV)/developer                ## build the wheel, install it elsewhere and run the tests outside the checkout
	rm -rf build/outside dist && mkdir -p build/outside
	$(BIN)/python -m build --wheel --outdir dist . > build/wheel.log
	$(PYTHON) -m venv build/outside/venv
	build/outside/venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$$(ls dist/*.whl)[test,data]"
	cp -r tests pyproject.toml build/outside/
	cd build/outside && venv/bin/python -m pytest -q -n auto --dist worksteal -m "not slow" tests

benchmarks: $(VENV)/ready               ## ratios against named baselines, one thread
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

build/types:
	mkdir -p build/types/taciturn
	for room in $(ROOMS); do ln -sfn ../../../$$room build/types/taciturn/$$room; done

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "taciturn needs Python 3.11 or newer; name one with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[$(EXTRAS)]"
	touch $@

$(VENV)/developer: $(VENV)/ready
	$(INSTALL) --editable ".[dev,$(EXTRAS)]"
	touch $@

clean:
	rm -rf $(VENV) build dist $(OUT) *.egg-info
