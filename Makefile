# `make demo` and `make test` need git, make and python >= 3.11, nothing else.
# Bytecode is compiled at install: importing dagster costs 2.4 s without it, 0.9 s with it.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
unexport VIRTUAL_ENV

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal
PASSWORDS := POSTGRES OWNER WRITER READER GRAFANA
# --no-deps: older pips refuse extras in hashed requirements; `pip check` checks all of them later.
PIP_LOCKED := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	--no-deps --no-compile --only-binary :all:
# The tests of packages, a quarter of their code, are never imported.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x '/tests/' $(VENV)/lib

.PHONY: help demo install install-dev test test-fast test-faults test-files coverage mutants
.PHONY: test-wheel docs readme pictures bench audit env lint types contracts format lock clean

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: install ## Install, load the sample into a database, run the job, print the risk, write report.html
	@$(BIN)/riskmetrics demo

install: $(VENV)/.runtime ## The environment that runs riskmetrics, from requirements.lock

install-dev: $(VENV)/.dev ## The same with the tests' tools, from requirements-dev.lock

# The threads of OpenBLAS wait actively for cores that other workers use.
test test-fast test-faults coverage: export OPENBLAS_NUM_THREADS := 1

test: lint ## Lint, then tests, types and import contracts; FAULTS=1 adds the tests with faults
	@mkdir -p build
	@{ $(BIN)/mypy; types=$$?; $(BIN)/lint-imports && exit $$types; } > build/checks.log 2>&1 & checks=$$!; \
	$(PYTEST) $(if $(FAULTS),-m "not wheel and not live"); tests=$$?; \
	wait $$checks; checks=$$?; cat build/checks.log; exit $$((tests | checks))

test-fast: install-dev ## The tests without Postgres, processes and runs of Dagster (under a minute)
	$(PYTEST) -m "not integration and not slow and not live" \
		$(addprefix --ignore=tests/,deploy e2e faults wheel)

coverage: install-dev ## Lines and branches that the tests run, by package (takes twice as long)
	rm -rf build/coverage
	$(PYTEST) --cov --cov-report=
	$(BIN)/python -m tests.coverage_report

mutants: install-dev ## Changes of numerics that no test notices: MUTANTS='riskmetrics.metrics.stress*'
	$(BIN)/mutmut run $(MUTANTS)
	$(BIN)/mutmut results

test-faults: install-dev ## Crashes, races and full disks, for real (some minutes)
	$(PYTEST) -m faults tests/faults tests/e2e

test-files: install-dev ## 10,000 generated files, none of them read silently wrong (some minutes)
	$(BIN)/python -m tests.sources.generated_files --count 10000 --kind all

test-wheel: install-dev ## The wheel in an environment of every Python that is found (needs the network)
	$(BIN)/python -m pytest -m wheel tests/wheel

docs: install-dev ## The documentation site, into build/site; a dead link is an error
	$(BIN)/python -m docs.site

readme: install-dev ## What the demo prints, into README.md
	$(BIN)/python -m docs.site.readme

pictures: install-dev ## The pictures of the documentation, of today's demo (needs Chromium)
	$(BIN)/python -m docs.site.pictures

bench: install-dev ## Speed and memory, into docs/reference/benchmarks.md (half an hour, on an idle machine)
	$(BIN)/python -m benchmarks --out docs/reference/benchmarks.md

audit: ## Known vulnerabilities of the locked packages (needs the network)
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip-audit
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes \
		--requirement requirements-dev.lock

env: ## Passwords for docker-compose.yml, into .env, which is never overwritten
	@test ! -e .env || { echo "there is a .env, and it stays as it is" >&2; exit 1; }
	@umask 077 && set -C && for name in $(PASSWORDS); do $(PYTHON) -c \
		'import secrets, sys; print(sys.argv[1] + "_PASSWORD=" + secrets.token_hex(24))' $$name; \
	done > .env

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: install-dev
	$(BIN)/mypy

contracts: install-dev
	$(BIN)/lint-imports

format: install-dev ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Resolve the dependencies again (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet -o requirements.lock
	uv pip compile pyproject.toml --group build --group dev -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet \
		-o requirements-dev.lock
	uv pip compile pyproject.toml --group build --extra dask -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet \
		-o requirements-dask.lock

clean: ## Remove the environment and caches; the data in .riskmetrics stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "riskmetrics needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "Creating $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "python3 -m venv failed: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing the locked packages (about a minute, once) …" >&2
	@$(PIP_LOCKED) -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
		--no-build-isolation --editable .
	@$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@echo "Compiling bytecode …" >&2
	@$(COMPILE) riskmetrics > /dev/null || true
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the tests' tools …" >&2
	@$(PIP_LOCKED) -r requirements-dev.lock
	@$(COMPILE) > /dev/null || true
	@touch $@
