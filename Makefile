# Everything runs in .venv, which is made on first use and again when a pinned version changes.
# Needs Python 3.11 or later and make; choose the interpreter with `make PYTHON=...`.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test lint types kernels bench clean

install: $(STAMP)

# A virtual environment does not survive a move of its folder: the stamp holds where it was made.
ifneq ($(shell cat "$(STAMP)" 2>/dev/null),$(shell pwd))
.PHONY: $(STAMP)
endif

$(STAMP): pyproject.toml constraints.txt
	@sh .ci/make-venv "$(VENV)" "$(PYTHON)"

demo: install
	@$(BIN)/python -m quorate.cli.demo out/demo

test: lint types kernels
	$(BIN)/python -m pytest -n 2

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy -p quorate

# Once, and not once in each process that runs tests.
kernels: install
	$(BIN)/python -m quorate.tests.kernels

bench: install
	$(BIN)/python -m quorate.benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build *.egg-info
