# `make` lists the targets. Everything is set up inside the checkout: .venv (tools and libraries), .cache, data.
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SILENT:
.NOTPARALLEL:

PY := .venv/bin/python
# Newest first; PYTHON=/path/to/python chooses one.
PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3
QUICK := not slow and not soak and not postgres and not browser

.PHONY: help
help: ## List the targets
	awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ---------------------------------------------------------------- use

.PHONY: run
run: .venv/base ## Start Skillfeed on http://127.0.0.1:8000 (ARGS="--port 9000" for more)
	echo "Preparing the database …"
	.venv/bin/skillfeed db upgrade
	exec .venv/bin/skillfeed serve $(ARGS)

# ---------------------------------------------------------------- checks

.PHONY: test
test: lint types imports ## Run every check and the whole test suite, PostgreSQL included
	echo "Testing …"
	$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

.PHONY: check
check: lint types imports ## Run the checks and the quick tests, in under a minute
	$(PY) -m pytest -q -n 2 --dist loadfile -m "$(QUICK)" $(ARGS)

.PHONY: lint
lint: .venv/dev ## Check style and format
	echo "Checking style …"
	$(PY) -m ruff check --quiet
	$(PY) -m ruff format --check --quiet || { echo "Some files are not formatted; \`make format\` does it." >&2; exit 1; }

.PHONY: format
format: .venv/dev ## Mend style and format where that can be done by itself
	$(PY) -m ruff check --fix --quiet || true
	$(PY) -m ruff format

.PHONY: types
types: .venv/dev ## Check types
	echo "Checking types …"
	$(PY) -m mypy --no-error-summary

.PHONY: imports
imports: .venv/dev ## Check which package may import which
	echo "Checking imports …"
	out=$$(.venv/bin/lint-imports --no-logo --cache-dir .cache/import-linter) || { echo "$$out" >&2; exit 1; }

.PHONY: coverage
coverage: .venv/dev ## Show which lines the suite does not reach
	rm -f .cache/coverage*
	$(PY) -m coverage run -m pytest -q $(ARGS)
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

.PHONY: soak
soak: .venv/dev ## Run the tests that take minutes to hours
	$(PY) -m pytest -m soak $(ARGS)

.PHONY: bench
bench: .venv/dev ## Measure; each figure beside a bare one on the same machine
	$(PY) -m benchmarks $(ARGS)

# ---------------------------------------------------------------- upkeep

# Versions already locked stay; `make lock ARGS=--upgrade` renews them.
LOCK := uv pip compile --quiet --universal --generate-hashes --python-version 3.11
.PHONY: lock
lock: ## Lock dependencies after a change of pyproject.toml (needs uv)
	command -v uv >/dev/null || { echo "make lock needs uv (pip install uv)." >&2; exit 1; }
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) pyproject.toml --group build -o requirements.txt $(ARGS)
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt $(ARGS)

.PHONY: browser
browser: ## Install Debian's chromium for the browser tests, when it is missing
	if command -v chromium >/dev/null; then exit 0; fi; \
	command -v apt-get >/dev/null || { echo "No apt here: install chromium by hand; the browser tests find it on PATH." >&2; exit 1; }; \
	[ "$$(id -u)" = 0 ] && root= || root=sudo; \
	echo "Installing chromium …"; \
	$$root apt-get update -qq && \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null

.PHONY: clean
clean: ## Remove .venv, caches and build leftovers; data/ stays
	rm -rf .venv .cache build dist *.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# ---------------------------------------------------------------- .venv

# Debian's python3 comes without ensurepip until python3-venv is installed, and a version manager's shim may exist for a Python
# that is switched off: a candidate counts when it can do what is needed.
.venv/bin/python:
	for candidate in $(PYTHON); do \
	  if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then echo "Skillfeed needs Python 3.11 or newer with venv (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; fi; \
	echo "Creating .venv with $$("$$found" --version) …"; \
	rm -rf .venv; "$$found" -m venv .venv || { rm -rf .venv; exit 1; }

# The lock is installed by hash; the project itself, last, from the checkout with the locked setuptools, asking nobody.
define install
	echo "Installing locked dependencies ($(1)) …"
	start=$$SECONDS; quiet=--quiet; [ ! -t 1 ] || quiet=; \
	if command -v uv >/dev/null; then pip="uv pip"; python="--python $(PY)"; \
	else pip="$(PY) -m pip --disable-pip-version-check"; python=; fi; \
	$$pip install $$python $$quiet --require-hashes -r $(1) && \
	$$pip install $$python --quiet --no-deps --no-build-isolation --editable . && \
	echo "Installed in $$((SECONDS - start)) s."
	touch .venv/base
endef

# The development lock holds all of requirements.txt at the same versions, so it stamps both.
.venv/base: requirements.txt pyproject.toml | .venv/bin/python
	$(call install,requirements.txt)

.venv/dev: requirements-dev.txt requirements.txt pyproject.toml | .venv/bin/python
	$(call install,requirements-dev.txt)
	touch $@
