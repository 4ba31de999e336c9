# Everything happens in .venv of this folder. `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE =
# Where `llm-data studio` answers: what Dagster shows of an asset, a partition, a check links there.
export LLM_DATA_STUDIO_URL ?= http://127.0.0.1:8765

.PHONY: help setup demo test test-slow test-bounds lint types audit wheel dev clean
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/ready ## Install the project and its tools into .venv

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

demo: .venv/ready ## Materialise the embedded catalog through Dagster, and show the funnel
	$(BIN)/llm-data run

test: .venv/ready lint types ## Lint, check types, run the tests
	$(BIN)/python -m pytest

test-slow: .venv/ready ## Run the tests that `make test` leaves out: whole flows again, killed runs
	$(BIN)/python -m pytest -m slow

test-bounds: .venv/ready ## Run the tests with every index of a kernel checked, after changing one
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(abspath .venv/bounds) $(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

audit: .venv/ready .venv/audit/ready ## SBOM, licences and advisories of the dependencies, into audit/
	mkdir -p audit && rm -f audit/advisories.json
	.venv/audit/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml \
		--output-reproducible --output-file audit/sbom.json
	$(if $(ADVISORIES),,-.venv/audit/bin/pip-audit --progress-spinner off --format json \
		--output audit/advisories.json \
		--path $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'))
	$(BIN)/python .ci/dependencies.py audit $(ADVISORIES)

# Tools of their own, so that they are not among what they look at.
.venv/audit/ready: pyproject.toml
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet 'pip>=25.1'
	.venv/audit/bin/pip install --quiet --group audit
	touch $@

wheel: .venv/ready ## A wheel with the kernels' machine code in it, into dist/
	$(BIN)/python deploy/compiled_wheel.py dist

dev: .venv/ready ## Dagster's UI on the same home
	$(if $(wildcard $(LLM_DATA_HOME)/dagster/dagster.yaml),DAGSTER_HOME=$(abspath $(LLM_DATA_HOME))/dagster) \
		$(BIN)/dagster dev -w workspace.yaml

clean: ## Remove what the demo wrote
	rm -rf .llm_data
