# Everything a developer or a first visitor needs. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:

# The newest Python that is new enough; PYTHON=/path/to/python overrides it.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
ARGS ?=
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# The FOCUS validator runs on Python 3.12 alone; PYTHON_312=/path/to/python overrides it.
PYTHON_312 ?= $(shell for p in python3.12 $(HOME)/.pyenv/versions/3.12.*/bin/python3.12; do \
	$$p -c '' >/dev/null 2>&1 && { echo $$p; break; }; done)
FOCUS_BIN := .venv-focus/bin
PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

##@ Try it

.PHONY: demo
demo: $(BIN)/.runtime ## set up, fill with a demonstration month, serve at http://127.0.0.1:5000 (ARGS=--no-serve)
	@$(BIN)/python -m marketplace demo $(ARGS)

.PHONY: serve
serve: $(BIN)/.runtime ## serve pages with a worker (after `make migrate` or `make demo`)
	@$(BIN)/python -m marketplace serve $(ARGS)

.PHONY: migrate
migrate: $(BIN)/.runtime ## make the tables, or bring them up to date
	@$(BIN)/python -m marketplace migrate $(ARGS)

.PHONY: doctor
doctor: $(BIN)/.runtime ## what is configured, and what is wrong with it
	@$(BIN)/python -m marketplace doctor $(ARGS)

##@ Work on it

.PHONY: test
test: $(BIN)/.development chromium focus-validator ## run every test that ends within minutes
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-long
test-long: $(BIN)/.development ## what takes longer: thousands of months, a kill at every statement
	$(BIN)/pytest -m long $(ARGS)

.PHONY: check check-rest check-types
check: check-rest check-types ## lint, format, types, layers, templates, and whether migrations match models

# Types take longer than all the rest: `make --jobs=2 check` looks at both at once.
check-types: $(BIN)/.development
	$(BIN)/mypy

check-rest: $(BIN)/.development
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python -m marketplace.migrations check

.PHONY: fmt
fmt: $(BIN)/.development ## format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

.PHONY: bench-price-list
bench-price-list: $(BIN)/.development ## measure the import of a price list of 100,000 rows (ARGS="--rows N")
	$(BIN)/python -m benchmarks.price_list_import $(ARGS)

.PHONY: bench
bench: $(BIN)/.development ## measure import and close against a bare scan of the same file
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: migration
migration: $(BIN)/.development ## write a migration: make migration MESSAGE="add a column"
	@test -n "$(MESSAGE)" || { echo 'Say what changes: make migration MESSAGE="add a column"'; exit 2; }
	$(BIN)/python -m marketplace.migrations new "$(MESSAGE)"

.PHONY: docs
docs: $(BIN)/.development ## write the generated pages of docs/, and the list of addresses
	$(BIN)/python -m marketplace.settings > docs/settings.md
	$(BIN)/python -m tests.architecture.regenerate

.PHONY: translations
translations: $(BIN)/.development ## gather the texts of pages; then fill in what is empty in marketplace/translations
	$(BIN)/pybabel --quiet extract --mapping=babel.cfg --keyword=N_ --keyword=lazy_gettext --no-location --sort-output --output=.translations.pot .
	$(BIN)/pybabel --quiet update --input-file=.translations.pot --output-file=marketplace/translations/fr.po --locale=fr \
		--no-fuzzy-matching --ignore-obsolete --omit-header --width=120
	@rm .translations.pot

.PHONY: lock
lock: $(BIN)/.development ## pin the requirements again (ARGS=--upgrade for newer ones)
	$(PIP_COMPILE) $(ARGS) --output-file=requirements.txt requirements.in
	$(PIP_COMPILE) $(ARGS) --output-file=requirements-dev.txt requirements-dev.in
	@echo "requirements-focus.txt is pinned by Python 3.12: see CONTRIBUTING.md."

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

# A stamp says which requirements the virtual environment was filled from.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "A virtual environment could not be made. On Debian or Ubuntu run" \
		"'apt-get install python3-venv' (with sudo if you are not root), then make again."; exit 1; }

$(BIN)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing what the product runs on (once)..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(BIN)/.development: requirements-dev.txt $(BIN)/.runtime
	@echo "Installing what it is tested with (once)..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# The browser of the browser tests: Debian's, since it needs no download beside the system's own packages.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 \
	|| command -v google-chrome >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			echo "Installing chromium for the browser tests (once)..."; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1 \
			|| echo "chromium could not be installed: browser tests are skipped. To run them: apt-get install chromium"; \
		else echo "Browser tests are skipped: there is no chromium. To run them: sudo apt-get install chromium"; fi; }

# The FOCUS validator of the conformance tests lives apart: it needs older libraries than ours.
.PHONY: focus-validator
focus-validator:
	@{ test $(FOCUS_BIN)/.installed -nt requirements-focus.txt; } || { \
		if test -n "$(PYTHON_312)"; then \
			echo "Installing the FOCUS validator for the conformance tests (once)..."; \
			{ $(PYTHON_312) -m venv .venv-focus && $(FOCUS_BIN)/python -m pip install --quiet --disable-pip-version-check \
				--require-hashes -r requirements-focus.txt && touch $(FOCUS_BIN)/.installed; } \
			|| echo "The FOCUS validator could not be installed: its test is skipped. To try again: make focus-validator"; \
		else echo "The test with the FOCUS validator is skipped: there is no Python 3.12. Install it, then: make focus-validator"; fi; }
