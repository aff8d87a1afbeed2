# The commands of BossJy. Each target can also be typed as its command. They run in .venv, which this file makes.
# Python 3 and make are enough to start: see requirements/install.sh.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
LOCK := requirements/build.txt requirements/uv.txt requirements/install.sh .python-version
PACKAGES := server/pyproject.toml clients/python/pyproject.toml

# The environment: packages of the service, then those of tests and checks. Made again when the lock changes.
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
install: $(DEV) ## make the whole environment .venv, with the tools for tests and checks

.PHONY: run
run: $(RUN) ## start the service with embedded databases and a demonstration; ONCE=1: stop after it, 0 if all was right
	@.venv/bin/bossjy-server demo $(if $(ONCE),--once)

.PHONY: test
test: $(DEV) ## run all tests on real databases, with coverage by package; ARGS="-k word" selects tests
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(PYTHON) -m pytest -n 2 --dist worksteal --cov --cov-report=json:build/coverage/report.json $(ARGS)

.PHONY: test-pythons
test-pythons: $(DEV) ## run ONCE=1 and test on each Python here; PYTHONS="3.11 3.13" selects, FAST=1: few tests
	@$(PYTHON) -m tests.performance.pythons $(if $(FAST),--fast) $(PYTHONS)

.PHONY: test-front
test-front: $(DEV) ## run the tests of calls on the native front end (BOSSJY_FRONT=native); known failures: tests/front.py
	@$(PYTHON) -m pytest -n 2 --dist worksteal --front native tests/contract tests/integration/rpc tests/statements \
		tests/fault tests/e2e/test_first_call.py tests/e2e/test_import.py tests/e2e/test_import_drain.py \
		tests/e2e/test_start.py tests/integration/auth/test_certificates.py $(ARGS)

.PHONY: test-gateway
test-gateway: $(GATEWAY) ## run the tests of deploy/gateway with real Traefik and Envoy (290 MB of programs)
	@$(PYTHON) -m pytest tests/gateway $(ARGS)

.PHONY: check
check: $(DEV) ## check lint, format, types, imports, contracts, generated code, lock, prose, coverage of phone and auth
	@$(PYTHON) .ci/check.py

.PHONY: check-coverage
check-coverage: $(DEV) ## run the tests of phone and auth; below 100 % of lines and branches it fails
	@$(PYTHON) .ci/coverage_gate.py

.PHONY: check-monitoring
check-monitoring: ## check monitoring/ with promtool and amtool, from the packages of Prometheus and Alertmanager
	promtool check config monitoring/prometheus/prometheus.yml
	promtool test rules monitoring/prometheus/alerts_test.yml monitoring/prometheus/operations_test.yml
	amtool check-config monitoring/alertmanager/alertmanager.yml

.PHONY: generate
generate: $(DEV) ## make stubs in clients/python, build/bossjy.binpb, docs/openapi.json from protos/
	@$(PYTHON) clients/python/generate.py

.PHONY: released
released: $(DEV) ## record the contracts as released: from then on `make check` refuses breaking changes
	@.venv/bin/buf build --path protos/bossjy --exclude-source-info --output protos/released.binpb

.PHONY: lock
lock: ## resolve requirements/*.txt again; UPGRADE=1: use the newest versions
	@sh requirements/install.sh uv
	@sh requirements/lock.sh $(if $(UPGRADE),--upgrade)

.PHONY: clean
clean: ## remove built, cached and installed files; keep the service's data folder
	rm -rf build dist .venv .uv .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Measurements (bench-…) and proofs of a promise (prove-…): each writes build/figures/NAME.json and prints a table.

.PHONY: bench-phone
bench-phone: $(DEV) ## measure numbers per second over StreamValidateNumbers, and of a stream that does no work
	@$(PYTHON) -m tests.performance.phone.bench_phone

.PHONY: bench-auth
bench-auth: $(DEV) ## measure 40 logins per second beside 500 GetMe, a flood of logins, the cost of checks and hashes
	@$(PYTHON) -m tests.performance.auth.bench_auth $(if $(SHORT),--short)

.PHONY: bench-unary
bench-unary: $(DEV) ## measure the cost of a call and of an echo, and its latency at 500, 1,000, 2,000 per second
	@$(PYTHON) -m tests.performance.unary.bench_unary $(if $(SHORT),--short)

.PHONY: prove-first-run
prove-first-run: $(DEV) ## time run ONCE=1 and test in a fresh clone with an empty home
	@$(PYTHON) -m tests.performance.first_run

.PHONY: prove-numbering
prove-numbering: $(DEV) ## compare with phonenumbers over 20 million times, and every state; ARGS=--small: 200,000
	@$(PYTHON) -m tests.performance.numbering.prove_numbering $(ARGS)

.PHONY: prove-corrections
prove-corrections: $(DEV) ## measure the share of right first corrections of damaged numbers, all regions; COUNT=100000
	@$(PYTHON) -m tests.performance.numbering.prove_corrections $(if $(COUNT),--count $(COUNT))

.PHONY: fuzz-numbering
fuzz-numbering: $(DEV) ## send random bytes to the numbering, guided by coverage; SECONDS=60
	@$(PYTHON) -m tests.performance.numbering.fuzz_numbering --seconds $(or $(SECONDS),60)

.PHONY: bench-numbering
bench-numbering: $(DEV) ## measure numbers per second on one core, compared with phonenumbers and rphonenumbers
	@$(PYTHON) -m tests.performance.numbering.bench_numbering

.PHONY: soak
soak: $(DEV) ## run a mixed load, five minutes or MINUTES=60; memory, files, connections and tasks must not grow
	@$(PYTHON) -m tests.performance.faults.soak --minutes $(or $(MINUTES),5)

.PHONY: prove-import
prove-import: $(DEV) ## kill imports at random moments and compare the results with a model; TRIALS=100
	@$(PYTHON) -m tests.performance.imports.prove_import $(if $(TRIALS),--trials $(TRIALS))

.PHONY: prove-reverts
prove-reverts: $(DEV) ## revert random import histories in every order and check that nothing remains; HISTORIES=1000
	@$(PYTHON) -m tests.performance.imports.prove_reverts $(if $(HISTORIES),--histories $(HISTORIES))

.PHONY: bench-import
bench-import: $(DEV) ## import a million rows twice, compared with psql's copy; memory for 1 and 5 million
	@$(PYTHON) -m tests.performance.imports.bench_import

.PHONY: prove-import-memory
prove-import-memory: $(DEV) ## upload 1.5 GB, or MIB=150: the server and its workers stay below 512 MiB
	@$(PYTHON) -m tests.performance.imports.prove_memory $(if $(MIB),--mib $(MIB))

.PHONY: prove-faults
prove-faults: $(DEV) ## test stopped, paused and refusing databases, a bad network, killed and renewed workers, abuse
	@$(PYTHON) -m tests.performance.faults.prove_faults

.PHONY: bench-load
bench-load: $(DEV) ## run a hundred calls per second with locust for 30 s: three validations, two logins, one GetMe
	@$(PYTHON) -m tests.performance.load.bench_load

.PHONY: fuzz-calls
fuzz-calls: $(DEV) ## send random requests to all methods, none may answer INTERNAL; CALLS=100000, SEED=1
	@$(PYTHON) -m tests.contract.fuzz --calls $(or $(CALLS),100000) $(if $(SEED),--seed $(SEED))
