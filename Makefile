# Everything one does with BossJy. Each line is a command that can be typed; they work in .venv, which this file makes.
# Python 3 and make are enough to start with: see requirements/install.sh.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
LOCK := requirements/build.txt requirements/uv.txt requirements/install.sh .python-version
PACKAGES := server/pyproject.toml clients/python/pyproject.toml

# The environment: what the service needs, and what tests and checks need on top. Made again when the lock changes.
RUN := .venv/.installed-run
DEV := .venv/.installed-dev

$(RUN): requirements/run.txt $(LOCK) $(PACKAGES)
	@sh requirements/install.sh run

$(DEV): requirements/dev.txt $(RUN)
	@sh requirements/install.sh dev

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

GATEWAY := .venv/.installed-gateway
$(GATEWAY): requirements/gateway.txt $(DEV)
	@sh requirements/install.sh gateway

.PHONY: install
install: $(DEV) ## make the whole environment .venv, with the tools of test and check

.PHONY: run
run: $(RUN) ## start the service on embedded parts with a demonstration; ONCE=1: stop after it, 0 when all was right
	@.venv/bin/bossjy-server demo $(if $(ONCE),--once)

.PHONY: test
test: $(DEV) ## run all tests on real parts, with coverage by package; ARGS="-k word" narrows it
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(PYTHON) -m pytest -n 2 --dist worksteal --cov --cov-report=json:build/coverage/report.json $(ARGS)

.PHONY: test-pythons
test-pythons: $(DEV) ## run ONCE=1 and test, on each Python of this machine; PYTHONS="3.11 3.13" chooses, FAST=1: few tests
	@$(PYTHON) -m tests.performance.pythons $(if $(FAST),--fast) $(PYTHONS)

.PHONY: test-gateway
test-gateway: $(GATEWAY) ## run the tests of deploy/gateway with real Traefik and Envoy (290 MB of programs)
	@$(PYTHON) -m pytest tests/gateway $(ARGS)

.PHONY: check
check: $(DEV) ## lint, formats, types, imports, contracts, generated code, lock, coverage of phone and auth; then the verdict
	@$(PYTHON) .ci/check.py

.PHONY: check-coverage
check-coverage: $(DEV) ## run the tests of phone and auth: 100 % of lines and branches, or it fails
	@$(PYTHON) .ci/coverage_gate.py

.PHONY: check-monitoring
check-monitoring: ## check monitoring/ with promtool and amtool, which the packages of Prometheus and Alertmanager bring
	promtool check config monitoring/prometheus/prometheus.yml
	promtool test rules monitoring/prometheus/alerts_test.yml
	amtool check-config monitoring/alertmanager/alertmanager.yml

.PHONY: generate
generate: $(DEV) ## make the stubs in clients/python and build/bossjy.binpb again from protos/
	@$(PYTHON) clients/python/generate.py

.PHONY: released
released: $(DEV) ## take the contracts as they are for released: from then on `make check` refuses what breaks them
	@.venv/bin/buf build --path protos/bossjy --exclude-source-info --output protos/released.binpb

.PHONY: lock
lock: ## resolve requirements/*.txt again; UPGRADE=1: take the newest versions
	@sh requirements/install.sh uv
	@sh requirements/lock.sh $(if $(UPGRADE),--upgrade)

.PHONY: clean
clean: ## remove what was built, cached and installed; keep the service's data folder
	rm -rf build dist .venv .uv .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Measurements (bench-…) and demonstrations of a promise (prove-…): each writes build/figures/NAME.json, prints a table.

.PHONY: bench-phone
bench-phone: $(DEV) ## numbers a second over StreamValidateNumbers, beside the same stream with no work
	@$(PYTHON) -m tests.performance.phone.bench_phone

.PHONY: bench-auth
bench-auth: $(DEV) ## logins at 40 a second beside GetMe at 500, a flood of logins, what checks and hashes cost
	@$(PYTHON) -m tests.performance.auth.bench_auth $(if $(SHORT),--short)

.PHONY: bench-unary
bench-unary: $(DEV) ## what a call costs beside a bare echo, and how long it takes at 500, 1,000, 2,000 a second
	@$(PYTHON) -m tests.performance.unary.bench_unary $(if $(SHORT),--short)

.PHONY: prove-first-run
prove-first-run: $(DEV) ## a fresh clone with an empty home: run ONCE=1, then test, both timed
	@$(PYTHON) -m tests.performance.first_run

.PHONY: prove-numbering
prove-numbering: $(DEV) ## over 20 million comparisons with phonenumbers, and every state; ARGS=--small: 200,000
	@$(PYTHON) -m tests.performance.numbering.prove_numbering $(ARGS)

.PHONY: prove-corrections
prove-corrections: $(DEV) ## damaged numbers of all regions: the share of first corrections that are right; COUNT=100000
	@$(PYTHON) -m tests.performance.numbering.prove_corrections $(if $(COUNT),--count $(COUNT))

.PHONY: fuzz-numbering
fuzz-numbering: $(DEV) ## any bytes to the numbering, guided by coverage; SECONDS=60
	@$(PYTHON) -m tests.performance.numbering.fuzz_numbering --seconds $(or $(SECONDS),60)

.PHONY: bench-numbering
bench-numbering: $(DEV) ## numbers a second, one core each, beside phonenumbers and rphonenumbers
	@$(PYTHON) -m tests.performance.numbering.bench_numbering

.PHONY: soak
soak: $(DEV) ## a mixed load, five minutes or MINUTES=60: whether memory, files, connections or tasks grow
	@$(PYTHON) -m tests.performance.faults.soak --minutes $(or $(MINUTES),5)

.PHONY: prove-import
prove-import: $(DEV) ## imports killed at random moments come to what they must; TRIALS=100
	@$(PYTHON) -m tests.performance.imports.prove_import $(if $(TRIALS),--trials $(TRIALS))

.PHONY: prove-reverts
prove-reverts: $(DEV) ## random histories of imports reverted in every order leave nothing; HISTORIES=1000
	@$(PYTHON) -m tests.performance.imports.prove_reverts $(if $(HISTORIES),--histories $(HISTORIES))

.PHONY: bench-import
bench-import: $(DEV) ## a million rows from file to table beside psql's copy, again, and the memory for one and five million
	@$(PYTHON) -m tests.performance.imports.bench_import

.PHONY: prove-import-memory
prove-import-memory: $(DEV) ## 1.5 GB in one upload, or MIB=150: server and its workers stay below 512 MiB
	@$(PYTHON) -m tests.performance.imports.prove_memory $(if $(MIB),--mib $(MIB))

.PHONY: prove-faults
prove-faults: $(DEV) ## parts stopped, paused, refusing, a bad network, workers killed and renewed, abuse
	@$(PYTHON) -m tests.performance.faults.prove_faults

.PHONY: bench-load
bench-load: $(DEV) ## three validations, two logins, one GetMe: a hundred calls a second by locust for 30 s
	@$(PYTHON) -m tests.performance.load.bench_load

.PHONY: fuzz-calls
fuzz-calls: $(DEV) ## any requests to all methods; CALLS=100000, SEED=1: none may answer INTERNAL
	@$(PYTHON) -m tests.contract.fuzz --calls $(or $(CALLS),100000) $(if $(SEED),--seed $(SEED))
