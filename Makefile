# make train, make test, make lab: each creates .venv, installs what it needs, and does its job.
# The tests have three tiers; the times are for two cores. make test runs the quick tier, for every change (4 minutes).
# make test ALL=1 runs the suite (14 minutes): also interrupted and resumed runs, benchmarks, grading, and more examples per property.
# make proof runs the proof (9 minutes): the course's mutants and banks of right and wrong solutions, all chapters, ImageNet's
# networks against PyTorch, and ops as CUDA kernels. It skips verdicts that still hold (tests/course/verdicts.txt); make proof
# FRESH=1 judges all of them again.
# make results writes the figures in README.md and docs from the logs in docs/results and benchmarks/results.
# make readme runs the commands that README.md and docs show, in a fresh clone, and reports each (six minutes).
# A different Python: make train PYTHON=python3.12. Options: make train ARGS="--seed 1".

PYTHON ?= python3
BIN = .venv/bin

.PHONY: train test proof results lab readme mutants clean

train: .venv/train
	$(BIN)/minires train $(ARGS)

test: .venv/test
	MINIRES_TEST_PROFILE=$(if $(ALL),suite,quick) $(BIN)/python -m pytest tests -m "not proof$(if $(ALL),, and not slow)" $(ARGS)

# The chapters run on all cores, a notebook on each. The last two lines run tests once more: on strict with as many examples as on NumPy, and of the ops as CUDA kernels on the
# processor (without g++ they are skipped, and say so).
AS_KERNELS = conv conv_forms forms_equal norm onepass pool loss optim updates linear layers winograd mixed
proof: .venv/test
	$(if $(FRESH),rm -f tests/course/verdicts.txt)
	$(BIN)/python -m pytest tests/test_chapters.py -m proof -n auto --maxprocesses 4 $(ARGS)
	$(BIN)/python -m pytest tests --ignore tests/test_chapters.py -m proof $(ARGS)
	MINIRES_TEST_PROFILE=proof MINIRES_TEST_BACKENDS=strict $(BIN)/python -m pytest -q tests -k strict -m "not proof and not slow"
	MINIRES_TEST_BACKENDS=shim $(BIN)/python -m pytest -q -m "not proof" $(addprefix tests/test_,$(addsuffix .py,$(AS_KERNELS)))

results: .venv/test
	$(BIN)/python -m benchmarks.figures

# The file list shows the whole project; what opens is the first chapter.
lab: .venv/lab
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/chapters/00_start_here.ipynb $(ARGS)

# The commands of README.md and docs, as they are printed, in a fresh clone of HEAD (ten minutes).
readme: .venv/test
	$(BIN)/python -m tests.commands $(ARGS)

# In a copy: mutmut passes over decorated functions, and there the decorators of ops are assignments.
mutants: .venv/mutants
	$(BIN)/python -m tests.undecorated build/mutants
	cd build/mutants && PYTHONPATH="$(CURDIR)/build/mutants" MINIRES_TEST_BACKENDS=numpy MINIRES_TEST_PROFILE=quick \
		"$(CURDIR)/$(BIN)/mutmut" run && "$(CURDIR)/$(BIN)/mutmut" results

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
	rm -rf .venv build runs .pytest_cache .hypothesis .mypy_cache .ruff_cache
