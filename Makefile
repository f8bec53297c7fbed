# Everything a developer, a fresh machine and CI do, in words. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## system packages and virtual environment, only what is missing
	@scripts/install-packages scripts/packages-setup.txt scripts/packages-runtime.txt
	@scripts/setup

.PHONY: setup-test
setup-test: setup ## the same, with the browser and the database the tests start
	@scripts/install-packages scripts/packages-test.txt

.PHONY: run
run: setup ## the whole service with a sample event, a Xendit stand-in and a mail catcher
	@python scripts/run-local

.PHONY: test
test: setup-test ## every test; it starts its own servers (one file: make test ARGS=tests/test_x.py)
	pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: pictures
pictures: setup-test ## draw the pictures in docs/img again
	python -m tests.browser.pictures

.PHONY: check
check: setup ## format, lint, types, architecture, migration drift, ceilings, requirements
	@status=0; \
	for step in "ruff format --check" "ruff check" mypy "lint-imports --no-cache --no-logo" \
	    scripts/check-ceilings scripts/check-requirements scripts/check-migrations; do \
	    echo "--- $$step"; $$step || { status=1; echo "--- $$step: FAILED"; }; \
	done; exit $$status

.PHONY: bench
bench: setup-test ## measure everything beside its limit (ROUNDS=3 ONLY=orders,growth)
	python -m bench.run --rounds $(or $(ROUNDS),3) --only "$(ONLY)"

.PHONY: rush
rush: setup-test ## sell out in a minute, watch and audit it (BUYERS=5000 SEATS=500 SECONDS=60 SEED=1)
	python -m bench.rush

.PHONY: torture
torture: setup-test ## kill and break everything under load, then count (DURATION=180 SEED=1)
	python -m tests.torture
	TORTURE_EXAMPLES=$${EXAMPLES:-150} pytest -q --timeout=0 tests/torture/test_hostile_shop.py \
	    tests/money/test_every_history.py tests/office/test_order_histories.py

.PHONY: fmt
fmt: setup ## format, and repair what the linter can
	ruff format
	ruff check --fix

.PHONY: lock
lock: setup ## pin requirements*.in again (UPGRADE=--upgrade for newer versions)
	scripts/lock $(UPGRADE)

.PHONY: translations
translations: setup ## collect texts from code and templates into the catalogues
	scripts/update-translations
