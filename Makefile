# make run and make test are all a newcomer needs; both install what they use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= home
PEERS ?= /tmp/throughline-peers
UV := uv==0.13.9

# Installs $(2) with the Python $(1): with uv, which takes a fifth of pip's time; with pip where uv cannot be had, or where
# only pip knows the mirror.
install = ($(1) -m pip install --quiet --disable-pip-version-check $(UV) && $(1) -m uv pip install --quiet --python $(1) -r $(2)) \
	|| $(1) -m pip install --quiet --disable-pip-version-check -r $(2)

.PHONY: setup setup-dev setup-engines setup-peers run test test-spark test-clickhouse check bench bench-large soak fuzz lint types imports pictures

setup: $(VENV)/.runtime
setup-dev: $(VENV)/.dev
setup-engines: $(VENV)/.engines

$(VENV)/.runtime: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call install,$(BIN)/python,requirements.txt)
	touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call install,$(BIN)/python,requirements-dev.txt)
	touch $(VENV)/.runtime $@

$(VENV)/.engines: requirements-engines.txt requirements-dev.txt requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call install,$(BIN)/python,requirements-engines.txt)
	touch $(VENV)/.runtime $(VENV)/.dev $@

# Packages that ours is measured against: an environment of their own, never imported by the app.
setup-peers: $(PEERS)/.peers

$(PEERS)/.peers: tests/bench/peers.txt
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(call install,$(PEERS)/bin/python,tests/bench/peers.txt)
	touch $@

run: setup
	test -e $(HOME_DIR)/control.sqlite || $(BIN)/python -m app --home $(HOME_DIR) demo
	$(BIN)/python -m app --home $(HOME_DIR) refresh
	$(BIN)/python -m app --home $(HOME_DIR) publish
	$(BIN)/python -m app --home $(HOME_DIR) serve

test: setup-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not spark and not clickhouse"

test-spark: setup-engines
	$(BIN)/python -m pytest tests/engines/test_spark.py -rs

test-clickhouse: setup-engines
	$(BIN)/python -m pytest tests/engines/test_clickhouse.py tests/laws/test_engines.py -rs

lint: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup-dev
	$(BIN)/mypy

imports: setup-dev
	$(BIN)/lint-imports

check: lint types imports test

bench: setup-dev setup-peers
	$(BIN)/python -m tests.bench.scores
	$(BIN)/python -m tests.bench.loading
	$(BIN)/python -m tests.bench.activation
	$(BIN)/python -m tests.bench.suppression
	$(BIN)/python -m tests.bench.ledger
	THROUGHLINE_PEERS=$(PEERS) $(BIN)/python -m tests.bench.attribution
	$(BIN)/python -m tests.bench.pages
	$(BIN)/python -m tests.bench.reading
	$(BIN)/python -m tests.bench.models

# 100 million rows of each large table: an hour and a half, and 80 GB of disk.
bench-large: setup-dev
	$(BIN)/python -m tests.bench.scale

# Every page of the full demo in both themes, on a desk and on a phone; needs Chromium.
pictures: setup-dev
	THROUGHLINE_PICTURES=docs/pictures $(BIN)/python -m pytest tests/browser/test_pictures.py

soak: setup-engines
	THROUGHLINE_SOAK=1 $(BIN)/python -m pytest -m slow
	THROUGHLINE_SOAK=1 $(BIN)/python -m pytest tests/engines/test_spark.py
	THROUGHLINE_SOAK=1 $(BIN)/python -m pytest tests/engines/test_clickhouse.py

fuzz: setup-dev
	THROUGHLINE_FUZZ=1 HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests/laws tests/metrics tests/data
