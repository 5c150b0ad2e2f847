# Only python3 (3.11 or newer) is assumed; everything else is installed into .venv from the hashed locks.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
INSTALL := $(BIN)/python local/install.py

export PYTHONPATH := $(CURDIR):$(CURDIR)/layers/common
export SAM_CLI_TELEMETRY := 0

.PHONY: run test lint format bench pictures openapi build dry-run deploy migrate lock clean

run: $(VENV)/.local            ## the whole stack on http://127.0.0.1:8080
	@exec $(BIN)/python -m local $(ARGS)

test: $(VENV)/.tests           ## make test ARGS="tests/focus -k complete"
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(wildcard docs local layers/common/questlog layers/common/database functions tests bench)
	$(BIN)/squawk layers/common/database/migrations/*.sql
	$(BIN)/cfn-lint template.yaml
	$(BIN)/sam validate --lint --region eu-central-1

format: $(VENV)/.tests
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.tests
	$(BIN)/python -m bench $(ARGS)

pictures: $(VENV)/.tests       ## docs/start-*.png, by Chromium
	START_PAGE_PICTURES=docs $(BIN)/python -m pytest -n 0 -k pictures tests/browser/test_start_page.py

openapi: $(VENV)/.tests        ## docs/openapi.json and functions/mcp/tools.json, from what the routes declare
	$(BIN)/python -m docs.openapi
	$(BIN)/python -m docs.tools

build: $(VENV)/.tests          ## what would be deployed, in .aws-sam/build; PYTHON313=... names a Python 3.13
	PYTHON=$(CURDIR)/$(BIN)/python $(BIN)/sam build

dry-run: $(VENV)/.tests        ## builds it for this machine, and has each function answer as Lambda would run it
	CI=1 $(BIN)/python -m pytest tests/test_dry_run.py

deploy: build                  ## asks for the stack's name and parameters, and remembers them in samconfig.toml
	$(BIN)/sam deploy --guided --capabilities CAPABILITY_IAM

migrate: $(VENV)/.local        ## DATABASE_URL=postgresql://owner@host/questlog make migrate
	$(BIN)/python -m database.migrate

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(LOCKFLAGS)
# pip reads the conditions of a universal lock by its own Python, not by Lambda's.
COMPILE_LAMBDA = $(BIN)/uv pip compile --quiet --python-version 3.13 --python-platform aarch64-manylinux_2_28 \
	--generate-hashes --custom-compile-command "make lock" $(LOCKFLAGS)
COMPILE_DOCS = $(COMPILE) --no-deps --group pyproject.toml:docs
lock: $(VENV)/.tests           ## make lock LOCKFLAGS=--upgrade; the widest lock first, the others agree with it
	$(COMPILE) pyproject.toml --extra local --extra dev --group audio --group push -o tests/requirements.txt
	$(COMPILE) pyproject.toml --extra local --group audio --group push -c tests/requirements.txt -o local/requirements.txt
	$(COMPILE) pyproject.toml -c tests/requirements.txt -o layers/common/requirements.txt
	$(COMPILE_LAMBDA) --group pyproject.toml:audio -c tests/requirements.txt -o layers/audio/requirements.txt
	$(COMPILE_LAMBDA) --group pyproject.toml:push -c tests/requirements.txt -o layers/push/requirements.txt
	$(COMPILE_DOCS) -c tests/requirements.txt -o layers/docs/requirements.txt

clean:                         ## the local stack's data stays: remove .local yourself
	rm -rf $(VENV) .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.x")'
	@echo "  making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# A stamp per lock: a later start compares two timestamps and installs nothing.
$(VENV)/.local: local/requirements.txt | $(BIN)/python
	@$(INSTALL) $< && touch $@

$(VENV)/.tests: tests/requirements.txt | $(BIN)/python
	@$(INSTALL) $< && touch $@ $(VENV)/.local
