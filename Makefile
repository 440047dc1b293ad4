# `make demo` and `make test` each set up all that they need in .venv; a second run installs nothing.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo install test lint format clean

help: ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' Makefile | awk -F': ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

demo: .venv/installed ## caption the sample photos and translate a few sentences; pictures of where the networks looked go to demo/
	@$(BIN)/ostinato-caption predict samples/photos --explain demo
	@$(BIN)/ostinato-translate predict --to cs,de,fr --file samples/sentences.txt --explain demo

install: .venv/installed ## set up .venv to use ostinato

test: .venv/installed-for-development lint ## check the style and the types, run all tests
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: .venv/installed-for-development ## check the style and the types
	@$(BIN)/ruff format --check --quiet || { echo "Formatting differs in the files above: run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary

format: .venv/installed-for-development ## format the code and mend what the linter can mend
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

clean: ## remove all that make made
	rm -rf .venv demo build dist .mypy_cache .pytest_cache .ruff_cache
	find apps shared tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: pyproject.toml constraints.txt
	@command -v "$(PYTHON)" > /dev/null || { echo "There is no '$(PYTHON)' here: install Python 3.11 or newer," \
	  "or name yours: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, and" \
	  "'$(PYTHON)' is $$("$(PYTHON)" --version 2>&1): name a newer one: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Installing into .venv: TensorFlow is large, so the first time takes minutes."
	@"$(PYTHON)" -m venv .venv
	@$(PIP_INSTALL) .
	@touch $@

.venv/installed-for-development: .venv/installed
	@echo "Installing what the tests need into .venv."
	@$(PIP_INSTALL) ".[dev]"
	@touch $@
