# Every command does the set-up it needs and may be run again at any time.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
JARS := kafka spark genmodel
CLASSES := kafka spark
CACHE := $(or $(HOTPATH_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hotpath)
# Built in the cache: what a clone adds to it is the crate itself.
export CARGO_TARGET_DIR := $(CACHE)/native
FOR ?=
FRESH ?=
KILLS ?= 20
FUZZ ?= 30000
NAMES ?=
SEED ?=

.PHONY: help setup jars classes native fuzz system browser influxd influxd-if-possible lock check types unit test demo bench faults kills conformance clean docs

help:               ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ \t/' | expand -t 12

setup:              ## all that the other commands need, from nothing
	@$(MAKE) -s -j2 .venv/.done jars

classes: setup      ## archives of what JVMs load: Spark and Kafka start in half the time, for a minute once
	@$(MAKE) -s -j2 $(CLASSES:%=.jars/classes/.%)

jars: $(JARS:%=.jars/%/.done)

system:
	@.ci/system

browser:
	@.ci/system browser

.venv/.done: requirements.lock pyproject.toml | system
	python3 -m venv .venv
	.venv/bin/pip install --quiet --no-compile --require-hashes -r requirements.lock
	.venv/bin/pip install --quiet --no-deps --no-build-isolation -e .
	$(PY) -m compileall -q -j 0 .venv/lib   # as pip would, but on all cores
	@touch $@

.jars/%/.done: hotpath/local/jars/%.xml | system
	@rm -rf .jars/$* && mkdir -p .jars/$*
	mvn -q -B -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.jars/$*
	@touch $@

.jars/classes/.%: .venv/.done .jars/kafka/.done
	@$(PY) -m hotpath.local.archive_classes $*
	@touch $@

.jars/spark/.done: | .jars/kafka/.done   # one at a time: Maven's own store is not for two
.jars/genmodel/.done: | .jars/spark/.done

native: .venv/.native ## the native core, built with cargo and put into .venv

.venv/.native: .venv/.done native/Cargo.toml native/pyproject.toml $(wildcard native/src/*.rs)
	@rm -rf $(CACHE)/wheels && .venv/bin/maturin build --quiet --release -m native/Cargo.toml -o $(CACHE)/wheels
	@.venv/bin/pip install --quiet --no-deps --force-reinstall $(CACHE)/wheels/*.whl
	@touch $@

fuzz: native        ## damaged MOJOs by the hundred thousand against the native core (minutes)
	HOTPATH_FUZZ=$(FUZZ) cargo test --quiet --release --manifest-path native/Cargo.toml --test fuzz -- --nocapture

influxd:            ## InfluxDB 2.7, built once into the cache where none is on PATH
	@hotpath/local/influxd.sh

influxd-if-possible:
	@hotpath/local/influxd.sh >/dev/null || echo "no InfluxDB: points wait in Kafka, everything else works"

lock:               ## render requirements.lock anew (needs uv)
	uv pip compile --quiet --no-emit-index-url --no-emit-package hotpath --no-annotate --generate-hashes \
	  --python-version 3.11 requirements.in -o requirements.lock

demo: setup influxd-if-possible   ## the whole system on real flights; FOR=600 ends by itself, FRESH=1 starts anew
	@.venv/bin/hotpath demo $(if $(FOR),--for $(FOR)) $(if $(FRESH),--fresh)

check: setup        ## lint, types, unit and contract tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	@$(MAKE) -s -j2 types unit

types:
	.venv/bin/mypy

unit:
	.venv/bin/pytest -q -m "not campaign" -n 2 tests/unit tests/contract

test: classes native check influxd browser ## all that CI runs
	cargo test --quiet --release --manifest-path native/Cargo.toml
	.venv/bin/pytest -q -n 2 tests/native
	.venv/bin/pytest -q -m "not campaign" -n 2 tests/integration
	.venv/bin/pytest -q -m "not campaign" tests/e2e

kills: classes      ## the stream job killed KILLS=20 times at each named point and at random
	HOTPATH_KILLS=$(KILLS) $(PY) -m faults.run $(if $(SEED),--seed $(SEED)) \
	  "stream job killed before the write" "stream job killed mid-file" "stream job killed before the manifest" \
	  "stream job killed after the manifest" "stream job killed anywhere"

bench: classes      ## every benchmark (or NAMES="…"), into benchmarks/results.json
	$(PY) -m benchmarks.run $(NAMES)

faults: classes influxd   ## every fault (or NAMES="one, another", SEED=n), into faults/results.json
	$(PY) -m faults.run $(if $(SEED),--seed $(SEED)) $(if $(NAMES),"$(NAMES)")

conformance: setup  ## the slow comparisons: laws on other examples, every time zone, Spark and row function on 100,000 rows
	HOTPATH_RANDOM=1 .venv/bin/pytest -q -m "not campaign" -n 2 tests/unit tests/contract
	.venv/bin/pytest -q -m campaign tests/contract

docs: setup         ## render the reference pages from the tables
	$(PY) -m hotpath.cli.pages
	$(PY) -c "from pathlib import Path; from monitoring.pages import pages; \
	  [(Path(p).parent.mkdir(parents=True, exist_ok=True), Path(p).write_text(t)) for p, t in pages().items()]"

clean:              ## remove everything that was built or recorded
	rm -rf .venv .jars .hotpath report.json
