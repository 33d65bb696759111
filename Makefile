# Comptoir. The scripts in .ci/ do the work and say what they do; this file names the ways in.
#
#   make run     set up what is missing, build, serve the demo restaurant on http://127.0.0.1:3000;
#                SIM_ERP=1 beside a simulated kitchen system, SIM_ERP='--fail-rate 20' beside one that fails: see `comptoir sim erp --help`
#   make test    set up what is missing, run every test
#   make build   one self-contained release binary
#   make setup   only install what is missing
#   make bench   orders and menus a second, beside what the machine can do at most; a slow phone; sizes
#   make campaign  what breaks, at large size: cards, kitchen, faults, phones, bytes, contract, size; one table at the end
#   make lint    format, lints, documentation
#   make sqlx    after changing a query or a migration: refresh .sqlx/

export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
export SQLX_OFFLINE := true
CARGO ?= cargo
export CARGO

.PHONY: run build test bench campaign setup lint sqlx
# cargo keeps both processors busy by itself.
.NOTPARALLEL:
.DEFAULT_GOAL := run

run:
	@.ci/setup run
	@.ci/site dev
	@echo "==> Building the server"
	@$(CARGO) build --locked -p server --bin comptoir
	@COMPTOIR_DEMO=$${COMPTOIR_DEMO-1} SIM_ERP='$(SIM_ERP)' exec .ci/serve "$(CARGO_TARGET_DIR)/debug/comptoir"

build:
	@.ci/setup build
	@.ci/site release
	@echo "==> Building the server (release)"
	@$(CARGO) build --locked --release -p server --bin comptoir
	@echo "==> $(CARGO_TARGET_DIR)/release/comptoir"

test:
	@.ci/setup test
	@.ci/test

bench:
	@.ci/setup test
	@.ci/bench

campaign:
	@.ci/setup test
	@.ci/campaign

setup:
	@.ci/setup test

lint:
	@.ci/setup run
	@.ci/lint

sqlx:
	@.ci/setup run
	@.ci/sqlx prepare
