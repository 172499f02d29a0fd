# Every command does the set-up it needs and may be run again at any time.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
JARS := kafka spark genmodel
FOR ?=
FRESH ?=
KILLS ?= 20

.PHONY: help setup system lock check test demo kills conformance clean docs

help:               ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ \t/' | expand -t 12

setup: .venv/.done $(JARS:%=.jars/%/.done)   ## all that the other commands need, from nothing

system:
	@.ci/system

.venv/.done: requirements.lock pyproject.toml | system
	python3 -m venv .venv
	.venv/bin/pip install --quiet --require-hashes -r requirements.lock
	.venv/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.jars/%/.done: hotpath/local/jars/%.xml | system
	@rm -rf .jars/$* && mkdir -p .jars/$*
	mvn -q -B -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.jars/$*
	@touch $@

lock:               ## render requirements.lock anew (needs uv)
	uv pip compile --quiet --no-emit-index-url --no-emit-package hotpath --no-annotate --generate-hashes \
	  --python-version 3.11 requirements.in -o requirements.lock

demo: setup         ## the whole system on real flights; FOR=600 ends by itself, FRESH=1 starts anew
	@.venv/bin/hotpath demo $(if $(FOR),--for $(FOR)) $(if $(FRESH),--fresh)

check: setup        ## lint, types, unit and contract tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/pytest -q -m "not campaign" tests/unit tests/contract

test: check         ## all that CI runs
	.venv/bin/pytest -q -m "not campaign" tests/integration tests/e2e

kills: setup        ## the stream job killed KILLS=20 times at each named point and at random
	HOTPATH_KILLS=$(KILLS) .venv/bin/pytest -q -m campaign tests/integration

conformance: setup  ## the slow comparisons: every time zone, Spark against the row function
	.venv/bin/pytest -q -m campaign tests/contract

docs: setup         ## render the reference pages from the tables
	$(PY) -c "from hotpath.contract.docs import markdown; print(markdown(), end=\"\")" > docs/contract.md

clean:              ## remove everything that was built or recorded
	rm -rf .venv .jars .hotpath report.json
