# The commands of BossJy. Each target can also be typed as its command. They run in .venv, which this file makes.
# Python 3 and make are enough to start: see requirements/install.sh.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
LOCK := requirements/build.txt requirements/uv.txt requirements/install.sh .python-version
PACKAGES := server/pyproject.toml server/numbering/pyproject.toml clients/python/pyproject.toml

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

# Additions for some tests.
GATEWAY := .venv/.installed-gateway
DEPLOY := .venv/.installed-deploy
$(GATEWAY) $(DEPLOY): .venv/.installed-%: requirements/%.txt $(DEV)
	@sh requirements/install.sh $*

.PHONY: install
install: $(DEV) ## make the whole environment .venv, with the tools for tests and checks

.PHONY: run
run: $(RUN) ## start the service with embedded databases and a demonstration; ONCE=1: stop after it, 0 if all was right
	@.venv/bin/bossjy-server demo $(if $(ONCE),--once)

# Python keeps what it compiles of servers and tests. Where the variable is set, as in containers, each process of a test
# would compile each changed module anew.
test test-front: export PYTHONDONTWRITEBYTECODE :=

.PHONY: test
test: $(DEV) ## run all tests on real databases, with coverage by package; ARGS="-k word" selects tests
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(PYTHON) -m pytest -n 2 --dist worksteal --cov --cov-report=json:build/coverage/report.json $(ARGS)

.PHONY: test-pythons
test-pythons: $(DEV) ## run ONCE=1 and test on each Python here; PYTHONS="3.11 3.13" selects, FAST=1: few tests
	@$(PYTHON) -m tests.performance.pythons $(if $(FAST),--fast) $(PYTHONS)

.PHONY: wheel
wheel: $(DEV) ## build dist/bossjy_numbering-….whl: the numbering alone, with its compiled tables
	@.uv/bin/uv build --quiet --wheel --no-build-isolation --python $(PYTHON) --out-dir dist server/numbering
	@ls dist/bossjy_numbering-*.whl

ENGINES := .venv/.installed-engines
$(ENGINES): requirements/engines.txt $(DEV)
	@sh requirements/install.sh engines

.PHONY: install-engines
install-engines: $(ENGINES)

.PHONY: test-engines
test-engines: $(ENGINES) ## run the numbering on real Spark, Ray, Polars and DuckDB (600 MB of programs; Java 17)
	@$(PYTHON) -m pytest tests/engines $(ARGS)

.PHONY: test-front
test-front: $(DEV) ## run the tests of calls on the native front end (BOSSJY_FRONT=native); known failures: tests/front.py
	@$(PYTHON) -m pytest -n 2 --dist worksteal --front native tests/contract tests/integration/rpc tests/statements \
		tests/fault tests/e2e/test_first_call.py tests/e2e/test_import.py tests/e2e/test_import_drain.py \
		tests/e2e/test_start.py tests/integration/auth/test_certificates.py $(ARGS)

.PHONY: test-gateway
test-gateway: $(GATEWAY) ## run the tests of deploy/gateway with real Traefik, Envoy and Consul (310 MB of programs)
	@$(PYTHON) -m pytest tests/gateway $(ARGS)

.PHONY: test-discovery
test-discovery: $(GATEWAY) ## run servers in a real Consul agent (fetched from Debian if there is none), Traefik with it
	@$(PYTHON) -m pytest -n 0 tests/discovery $(ARGS)

.PHONY: test-deploy
test-deploy: $(DEPLOY) ## compare deploy/ with the code, and validate its manifests (440 MB of programs)
	@$(PYTHON) -m pytest tests/deploy $(ARGS)

# The programs of a PostgreSQL other than the embedded one.
POSTGRES_BIN ?= /usr/lib/postgresql/15/bin
.PHONY: test-postgres
test-postgres: $(DEV) ## run the tests of database, imports, statements on another PostgreSQL; POSTGRES_BIN=folder, FAST=1
	@test -x $(POSTGRES_BIN)/postgres || { echo "no PostgreSQL in $(POSTGRES_BIN): install it, or set POSTGRES_BIN"; exit 1; }
	@BOSSJY_TEST_POSTGRES_BIN=$(POSTGRES_BIN) $(PYTHON) -m pytest -n 2 --dist worksteal $(if $(FAST), \
		$(addprefix tests/integration/storage/test_,versions.py database_roles.py released_schemas.py postgres.py) \
		$(addprefix tests/integration/imports/test_,import.py races.py plans.py revert.py duplicates.py), \
		tests/integration/storage tests/integration/imports tests/integration/contacts tests/integration/auth \
		tests/statements) $(ARGS)

.PHONY: test-pooler
test-pooler: $(DEV) ## run the tests behind PgBouncer in transaction mode; POSTGRES_BIN=folder: on that PostgreSQL
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null || { echo "no pgbouncer: install its package"; exit 1; }
	@BOSSJY_TEST_POSTGRES_BIN=$(if $(filter command line environment,$(origin POSTGRES_BIN)),$(POSTGRES_BIN)) \
		$(PYTHON) -m pytest -n 0 tests/pooler $(ARGS)

.PHONY: test-monitoring
test-monitoring: $(DEV) ## run every query and three alerts on a real Prometheus, Alertmanager and exporters (packages of Debian)
	@$(PYTHON) -m pytest tests/monitoring $(ARGS)

.PHONY: dashboard-pictures
dashboard-pictures: $(DEV) ## draw the dashboards from two minutes of load on real parts into docs/dashboards
	@PICTURES_S=120 $(PYTHON) -m pytest -n 0 tests/monitoring/test_pictures.py $(ARGS)
	@mkdir -p docs/dashboards && cp build/dashboards/*.svg docs/dashboards/

.PHONY: check
check: $(DEPLOY) ## check lint, format, types, imports, contracts, generated code, lock, prose, coverage of phone and auth
	@$(PYTHON) .ci/check.py

.PHONY: check-coverage
check-coverage: $(DEV) ## run the tests of phone and auth; below 100 % of lines and branches it fails
	@$(PYTHON) .ci/coverage_gate.py

.PHONY: check-monitoring
check-monitoring: ## check monitoring/ with promtool and amtool, from the packages of Prometheus and Alertmanager
	promtool check config monitoring/prometheus/prometheus.yml
	promtool test rules monitoring/prometheus/*_test.yml
	python3 monitoring/prometheus/make_kubernetes_rules.py --check
	amtool check-config monitoring/alertmanager/alertmanager.yml

.PHONY: generate
generate: $(DEV) ## make stubs, build/bossjy.binpb, docs/openapi.json from protos/, docs/reference from the sources
	@$(PYTHON) clients/python/generate.py
	@$(PYTHON) docs/generate/reference.py

DOCS := build/docs-env/.installed
$(DOCS): requirements/docs.txt $(DEV)
	@sh requirements/install.sh docs

.PHONY: docs
docs: $(DOCS) ## build the documentation as a site that needs no network: build/site/index.html
	@$(PYTHON) docs/generate/site.py build/docs-env/bin/mkdocs && echo build/site/index.html

.PHONY: released
released: $(DEV) ## record contracts and schema as released: `make check` and tests compare later ones with them
	@.venv/bin/buf build --path protos/bossjy --exclude-source-info --output protos/released.binpb
	@cp deploy/init.sql deploy/released/$$(date +%F).sql

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

.PHONY: bench-client
bench-client: $(DEV) ## measure validate_column beside validate_stream and a loop over phonenumbers, from a pandas column
	@$(PYTHON) -m tests.performance.phone.bench_client

.PHONY: bench-auth
bench-auth: $(DEV) ## measure 40 logins per second beside 500 GetMe, a flood of logins, the cost of checks and hashes
	@$(PYTHON) -m tests.performance.auth.bench_auth $(if $(SHORT),--short)

.PHONY: bench-unary
bench-unary: $(DEV) ## measure the cost of a call and of an echo, and its latency at 500, 1,000, 2,000 per second
	@$(PYTHON) -m tests.performance.unary.bench_unary $(if $(SHORT),--short) $(if $(COST),--cost)

.PHONY: bench-observation
bench-observation: $(DEV) ## measure the CPU of logs, metrics and 1 % of traces for each call, without a network
	@$(PYTHON) -m tests.performance.unary.observation

.PHONY: prove-first-run
prove-first-run: $(DEV) ## time run ONCE=1 and test in a fresh clone with an empty home
	@$(PYTHON) -m tests.performance.first_run

.PHONY: prove-client
prove-client: $(DEV) ## install the wheel of the client in new environments, with the oldest and newest versions, and call
	@$(PYTHON) -m tests.performance.client_install $(CASES)

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

.PHONY: bench-engines
bench-engines: $(ENGINES) ## measure rows per second on each engine, and of a phonenumbers UDF there; ROWS=1000000
	@$(PYTHON) -m tests.performance.engines.bench_engines $(if $(ROWS),--rows $(ROWS))

.PHONY: soak
soak: $(DEV) ## run a mixed load, five minutes or MINUTES=60; memory, files, connections and tasks must not grow
	@$(PYTHON) -m tests.performance.faults.soak --minutes $(or $(MINUTES),5)

.PHONY: prove-warm-up
prove-warm-up: $(DEV) ## compare p95 of the first ten seconds after a restart under load with the steady one; ROUNDS=3
	@$(PYTHON) -m tests.performance.faults.prove_warm_up $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: prove-import
prove-import: $(DEV) ## kill imports at random moments and compare the results with a model; TRIALS=100
	@$(PYTHON) -m tests.performance.imports.prove_import $(if $(TRIALS),--trials $(TRIALS))

.PHONY: prove-reverts
prove-reverts: $(DEV) ## revert random import histories in every order and check that nothing remains; HISTORIES=1000
	@$(PYTHON) -m tests.performance.imports.prove_reverts $(if $(HISTORIES),--histories $(HISTORIES))

.PHONY: bench-import
bench-import: $(DEV) ## import half a million rows twice, compared with psql's copy; memory for 0.5 and 2 million
	@$(PYTHON) -m tests.performance.imports.bench_import

.PHONY: prove-import-memory
prove-import-memory: $(DEV) ## upload 1.5 GB, or MIB=150: the server and its workers stay below 512 MiB
	@$(PYTHON) -m tests.performance.imports.prove_memory $(if $(MIB),--mib $(MIB))

.PHONY: prove-image
prove-image: $(DEV) ## build both targets of the image with podman and run one; ARGS="--tool docker --base IMAGE"
	@$(PYTHON) -m tests.performance.prove_image $(ARGS)

.PHONY: prove-upgrade
prove-upgrade: $(DEV) ## upgrade two servers from a former commit and downgrade from a next one, with traffic; FORMER=commit
	@$(PYTHON) -m tests.performance.upgrade.prove_upgrade $(if $(FORMER),--former $(FORMER))

.PHONY: bench-sizing
bench-sizing: $(DEV) ## measure memory and CPU of a server by worker, connection, call, import; bytes of a contact, a session
	@$(PYTHON) -m tests.performance.sizing.bench_sizing

.PHONY: sbom
sbom: $(RUN) ## write the bill of materials (CycloneDX) and the licences of the server's packages: build/sbom
	@$(PYTHON) deploy/image/sbom.py build/sbom requirements/run.txt

.PHONY: prove-faults
prove-faults: $(DEV) ## test stopped, paused and refusing databases, a bad network, killed and renewed workers, abuse
	@$(PYTHON) -m tests.performance.faults.prove_faults

.PHONY: bench-load
bench-load: $(DEV) ## run a hundred calls per second with locust for 30 s: three validations, two logins, one GetMe
	@$(PYTHON) -m tests.performance.load.bench_load

.PHONY: fuzz-calls
fuzz-calls: $(DEV) ## send random requests to all methods, none may answer INTERNAL; CALLS=100000, SEED=1
	@$(PYTHON) -m tests.contract.fuzz --calls $(or $(CALLS),100000) $(if $(SEED),--seed $(SEED))
