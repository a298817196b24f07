# Everything a person types. Python's part of `setup` is recsite/installation.py; the demo is `manage.py demo`.
SHELL = /bin/sh
PY = .venv/bin/python
.DEFAULT_GOAL = help
# Only what is imported gets compiled (see installation.py), once: without this, every process would do it again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup tools demo test test-engines chaos lint bench audit lock stop clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS='	' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

# The Python of .venv if it works, so that nothing changes when another one comes first in PATH.
find_python = \
	for python in $(if $(PYTHON),"$(PYTHON)",$(PY) python3 python3.13 python3.12 python3.11); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then break; fi; \
		python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "recsite needs Python 3.11 or newer$(if $(PYTHON), and $(PYTHON) is none); name one: make $@ PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi

setup: ## .venv with the locked packages (PYTHON=/path/to/python3 to choose one)
	@$(find_python); exec "$$python" -I recsite/installation.py

tools:
	@$(find_python); exec "$$python" -I recsite/installation.py --dev

demo: setup ## the whole site on http://127.0.0.1:8000 (PORT=8000, DATA=folder-or-zip); Ctrl-C stops it
	@DEMO_SITE="$${DEMO_SITE:-1}" exec $(PY) manage.py demo $(if $(PORT),--port "$(PORT)") $(if $(DATA),--data "$(DATA)")

lint: tools ## static checks: style, types, import contracts, migrations
	$(PY) -m ruff check --quiet
	$(PY) -m ruff format --check --quiet
	$(PY) -m mypy
	$(PY) -m bandit --quiet --configfile pyproject.toml --recursive recsite recommender experiments interactions catalog
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PY) manage.py makemigrations --check --dry-run

test: lint ## lint and all tests, on local servers it starts itself
	$(PY) -m recsite.local_services run -- $(PY) -m pytest

test-engines: ## the tests of Spark (needs Java 17) and Milvus, which it installs first (0.9 GB)
	@$(find_python); exec "$$python" -I recsite/installation.py --dev --engines
	$(PY) -m recsite.local_services run -- $(PY) -m pytest -m engines

chaos: tools ## the fault matrix: a site of its own is harmed in 42 ways; prints a table, writes chaos.md and chaos.json
	$(PY) -m recsite.local_services run -- $(PY) -m pytest --chaos $(if $(ONLY),-k "$(ONLY)")

bench: tools ## the benchmarks: tables, charts, bench.json (DATA=folder with ml-latest-small and ml-100k, ONLY=names)
	$(if $(DATA),RECSITE_TEST_DATA="$(DATA)") $(PY) -m recsite.local_services run -- $(PY) -m tests.benchmarks \
		$(if $(ONLY),--only $(ONLY))

# --strict: a package whose advisories cannot be had is no clean one.
audit: setup ## known vulnerabilities of the locked packages, by pip-audit in an environment of its own (needs a network)
	@test -x .local/audit/bin/pip-audit || \
		{ $(PY) -m venv .local/audit && .local/audit/bin/pip install --quiet 'pip-audit>=2.10,<3'; }
	.local/audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
		-r requirements.lock -r requirements-annoy.lock -r requirements-dev.lock

# Names, versions and hashes only: no download address is ever recorded. Annoy has a file of its own because it must be
# compiled; `make setup` goes on without it where there is no compiler. Needs `pip install uv`.
compile = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header --no-emit-package annoy
lock: setup ## bring the lock files up to pyproject.toml
	$(compile) pyproject.toml --extra local --output-file requirements.lock
	$(compile) pyproject.toml --extra local --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(compile) --group pyproject.toml:engines --constraint requirements-dev.lock --output-file requirements-engines.lock
	@for peer in lenskit rectools; do \
		(cd tests/benchmarks/peers && $(CURDIR)/$(compile) --group pyproject.toml:$$peer --output-file $$peer.lock) || exit; \
	done

stop: setup ## stop the demo and the local servers
	@$(PY) manage.py demo --stop && $(PY) -m recsite.local_services stop

clean: ## remove .venv, .local with all its data, and caches
	@if [ -d .local ] && [ -x $(PY) ]; then $(MAKE) -s stop; fi
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
