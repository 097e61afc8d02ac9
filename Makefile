# make demo | make dev | make test | make bench | make faults | make soak | make lint | make docs
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
MEDIA ?=
PORT ?= 3000
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
# Without its compiled code kept, each of the many processes would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo dev test bench faults soak lint docs clean

demo: .venv/runtime
	$(BIN)/media-assets demo $(if $(MEDIA),--media "$(MEDIA)")

dev: .venv/dev
	@root="$$($(BIN)/media-assets home $(if $(MEDIA),--media "$(MEDIA)"))" && \
	  echo "Dagster on $$root at http://127.0.0.1:$(PORT)" && \
	  MEDIA_ASSETS_DATA="$$root" DAGSTER_HOME="$$root/dagster_home" \
	  exec $(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p $(PORT)

test: .venv/dev
	$(BIN)/python -m pytest -n logical --dist loadgroup

bench: .venv/bench
	$(BIN)/python -m bench

# Options: make soak SOAK="--minutes 3 --seed 7"
soak: .venv/dev
	$(BIN)/python -m soak $(SOAK)

# Options: make faults FAULTS="kills --kills 10 --seed 7"
faults: .venv/dev
	$(BIN)/python -m media_assets_tests.faults $(FAULTS)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/dev
	$(BIN)/python -c 'from media_assets.operations.described import page; print(page(), end="")' > docs/operations.md
	$(BIN)/python -c 'from media_assets.cli_documents import schema_page; print(schema_page(), end="")' > docs/komposition.schema.json

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache *.egg-info

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed; set PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/runtime: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@ .venv/runtime

.venv/bench: .venv/dev
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,bench]"
	@touch $@
