# Everything a newcomer needs: each target does its own set-up (.ci/setup) and never asks a question.
PYTHON ?= python3
BIN := .venv/bin
SETUP := PYTHON="$(PYTHON)" sh .ci/setup
# Extra words for the command: make demo ARGS="--seed 3 --headless", make test ARGS="-k pixels"
ARGS ?=
# Each in a process of its own: browsers, brokers and renderers of one part are gone when the next begins.
PARTS := unit integration e2e

.DEFAULT_GOAL := help
.PHONY: help demo test check clean

help:
	@echo "make demo    set up, then harvest one simulated bed in real time (Ctrl-C ends it)"
	@echo "make test    set up, then run all tests"
	@echo "make check   lint, format, types, and the built wheel in an empty environment"
	@echo "make clean   remove the environment, caches and build results"
	@echo "Options: PYTHON=python3.12 picks the interpreter; ARGS='…' is passed on to demo and test."

demo:
	@$(SETUP) demo
	@$(BIN)/berrybrain demo $(ARGS)

test:
	@$(SETUP) test
	@$(if $(ARGS),$(BIN)/python -m pytest $(ARGS),set -e; for part in $(PARTS); do $(BIN)/python -m pytest tests/$$part; done)

check:
	@$(SETUP) check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	sh .ci/wheel

clean:
	rm -rf .venv .make build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
