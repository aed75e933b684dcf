# The course's commands. `make` alone lists them. Written for the make 3.81 and the sh of a Mac too: no pipes (a
# failure before a pipe is no failure to sh), no tools that are not on every Unix.
.DEFAULT_GOAL := help
.PHONY: help environment book test portability lint format lab serve links bench lock clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
INSTALLED := .venv/installed
JOBS ?= 2

# The notebooks' kernels: forked from a server that has the heavy imports done (Linux; elsewhere it starts ordinary ones).
export JUPYTER_DEFAULT_PROVISIONER_NAME ?= mlcourse-warm
# One thread a kernel: two pages run side by side, and scikit-learn's boosting is slower with two threads on two cores.
export OMP_NUM_THREADS ?= 1

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment: $(INSTALLED)  ## make the environment from the lock, in .venv

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v[:2] == (3, 11) and v >= (3, 11, 5) or sys.exit("The lock is for Python 3.11 (3.11.5 or newer), $(PYTHON) is %d.%d.%d. Say which to use: make PYTHON=/path/to/python3.11" % v[:3])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.txt)"
	@# sync, not install: what the lock no longer names goes; bytecode now, or every first import is slow.
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.txt
	@$(BIN)/uv pip install --quiet --no-deps --python $(BIN)/python --editable .
	@touch $@

book: $(INSTALLED)  ## execute every page with the book's parameters and render the book to _build/html
	@$(BIN)/mlcourse build --jobs $(JOBS)

test: lint  ## run everything that proves the project
	@$(BIN)/python tests/everything.py --jobs $(JOBS)

portability: $(INSTALLED)  ## run every page elsewhere: Colab's versions, the oldest ones, ordinary kernels (needs the network)
	@$(PYTEST) -n $(JOBS) tests/portability --all-pages

lint: $(INSTALLED)  ## check the style of modules and notebooks
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted; make format does it."; exit 1; }

format: $(INSTALLED)  ## format modules and notebooks, take outputs out of notebooks
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .
	@$(BIN)/mlcourse tidy

lab: $(INSTALLED)  ## open the notebooks in JupyterLab, with warm kernels
	@$(BIN)/jupyter lab --notebook-dir notebooks

serve:  ## show the built book on this machine, at a free port
	@test -f _build/html/index.html || { echo "There is no book yet; make book builds it."; exit 1; }
	@$(BIN)/python -m http.server 0 --bind 127.0.0.1 --directory _build/html

links: $(INSTALLED)  ## check the links that lead outside (needs the network)
	@$(BIN)/mlcourse links

bench: $(INSTALLED)  ## measure: pages against other tools, rebuilds, page weight (on an idle machine, half an hour)
	@$(BIN)/python tests/bench.py --jobs $(JOBS)

# Existing pins stay; only what pyproject.toml newly asks for is added. To renew all: rm requirements.txt first.
lock:  ## compile requirements.txt from pyproject.toml
	@$(BIN)/uv pip compile --quiet pyproject.toml --all-extras --no-emit-index-url --no-annotate --no-header --python-version 3.11.7 --output-file requirements.txt

clean:  ## remove what was built (not the environment)
	@rm -rf _build .pytest_cache .ruff_cache dist
