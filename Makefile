# make train, make test, make lab: each makes .venv, installs what it needs, and does its job.
# make test FAST=1 runs on NumPy alone, with fewer examples, and leaves out what runs long: chapters, wrong solutions of
# exercises, resumed runs, benchmarks.
# Another Python: make train PYTHON=python3.12. Options: make train ARGS="--seed 1".

PYTHON ?= python3
BIN = .venv/bin

.PHONY: train test lab mutants clean

train: .venv/train
	$(BIN)/minires train $(ARGS)

test: .venv/test
	$(if $(FAST),MINIRES_TEST_BACKENDS=numpy MINIRES_TEST_PROFILE=quick) $(BIN)/python -m pytest tests $(if $(FAST),-m "not slow") $(ARGS)

lab: .venv/lab
	$(BIN)/jupyter lab chapters $(ARGS)

mutants: .venv/mutants
	MINIRES_TEST_BACKENDS=numpy $(BIN)/mutmut run
	$(BIN)/mutmut results

# What continuous integration asks of the source: formatting, lint, types.
.PHONY: check
check: .venv/check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# An empty file in .venv says that a set of packages is installed; it is made again when the requirements change.
.venv/train: pyproject.toml | .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/test: pyproject.toml | .venv
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

.venv/lab: pyproject.toml | .venv
	$(BIN)/python -m pip install --quiet --editable '.[test,lab]'
	touch $@

.venv/check: pyproject.toml | .venv
	$(BIN)/python -m pip install --quiet --editable '.[check]'
	touch $@

.venv/mutants: .venv/test
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8,<4'
	touch $@

# Where Python comes without ensurepip (Debian without python3-venv), its own pip fills the environment.
.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "minires needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make $(MAKECMDGOALS) PYTHON=python3.12")'
	$(PYTHON) -m venv .venv 2>/dev/null || \
		($(PYTHON) -m venv --clear --without-pip .venv && $(PYTHON) -m pip --python .venv/bin/python install --quiet pip)

clean:
	rm -rf .venv runs mutants .pytest_cache .hypothesis
