# Every target in one line each: `make help`.
PROFILE ?= dev
ARGS ?=
export PROFILE

CARGO := cargo
BINARIES = $(or $(CARGO_TARGET_DIR),target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
SEED ?= 1
ORDERS ?= 2000
KILLS ?= 12
MANAGE = $(BINARIES)/manage
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) \
	$(if $(wildcard .env),--env-file .env) -p stockroom -f docker/compose.yaml

.DEFAULT_GOAL := help
.PHONY: binaries help run stop seed superuser psql test client-trial api-trial mail-trial search-quality bench chaos chaos-short chaos-mutations check fmt generated-check openapi audit up down compose clean

# Together, as `make run` builds them: manage alone takes other features of the same crates, which are then built anew.
binaries:
	@$(CARGO) build --profile $(PROFILE) -p gateway -p worker -p manage

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile

run: ## build and run everything on 127.0.0.1:8000 (PROFILE=release, HTTP_ADDR=…)
	@scripts/run

stop: ## end the private PostgreSQL, Redis and RabbitMQ
	@scripts/services stop

seed: binaries ## fill the database (ARGS="--products 5000")
	@scripts/with-services postgres -- $(MANAGE) seed $(ARGS)

superuser: binaries ## make an account for /admin/ (asks; ARGS="--email ann@shop.example")
	@scripts/with-services postgres -- $(MANAGE) createsuperuser $(ARGS)

psql: ## open psql on the database
	@scripts/psql $(ARGS)

test: ## all tests, against real servers (ARGS="-p orders place")
	@scripts/test $(ARGS)

client-trial: ## make a Python client from openapi.json, and manage a store with it
	@scripts/with-services postgres -- scripts/client-trial

api-trial: ## hold the gateway to openapi.json with schemathesis (EXAMPLES=50)
	@scripts/with-services postgres -- scripts/api-trial $(ARGS)

mail-trial: ## have a confirmation go to a mail server (aiosmtpd) with STARTTLS and AUTH
	@scripts/with-services postgres -- scripts/mail-trial

search-quality: ## how well and how fast the index searches (CATALOGUE=file.csv, SEARCH_PRODUCTS=1000000)
	$(if $(CATALOGUE),,$(error search-quality measures on a real catalogue: CATALOGUE=file.csv, with the columns sku, title, category, price, description))
	SEARCH_CATALOGUE=$(abspath $(CATALOGUE)) $(CARGO) test --release --quiet --package search --lib measured -- --nocapture --test-threads 1

bench: ## load: figures beside those of PostgreSQL alone (ARGS=orders, search, tasks, lists, sign-ins, memory or imports)
	$(CARGO) build --release -p gateway -p worker -p manage -p bench
	@scripts/with-services postgres redis $(if $(filter orders search lists sign-ins imports,$(ARGS)),,rabbitmq) -- $(or $(CARGO_TARGET_DIR),target)/release/bench $(ARGS)

chaos: ## kill the processes under load, and ask an oracle (SEED=1 ORDERS=2000 KILLS=12 ARGS=--wipe, ARGS="--outage disk")
	$(CARGO) build --quiet --profile $(PROFILE) -p gateway -p worker -p manage -p chaos
	@$(BINARIES)/chaos --binaries $(BINARIES) --seed $(SEED) --orders $(ORDERS) --kills $(KILLS) $(ARGS)

chaos-short: ## the same in two minutes, and queues that RabbitMQ lost the half of
	@$(MAKE) --no-print-directory chaos ORDERS=400 KILLS=5
	@$(MAKE) --no-print-directory chaos ARGS="--trial hollow"

chaos-mutations: ## see that the oracle finds bugs that are planted on purpose
	@crates/chaos/mutations/run $(ARGS)

check: ## format, lints, documentation, generated files
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet
	$(MAKE) --no-print-directory generated-check

generated-check: binaries ## openapi.json and the Postman collection match the code
	$(MANAGE) openapi --check

openapi: binaries ## write openapi.json and the Postman collection anew
	$(MANAGE) openapi --write

fmt: ## format the code
	$(CARGO) fmt --all

audit: ## advisories, licences and sources (cargo-deny), unused dependencies (cargo-machete)
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	@command -v cargo-machete >/dev/null || $(CARGO) install --locked cargo-machete
	$(CARGO) deny check
	$(CARGO) machete

up: ## build the images and run everything in containers, on 127.0.0.1:8000 (HTTP_PORT=…)
	$(COMPOSE) up -d --build $(ARGS)

down: ## end the containers (ARGS=-v deletes their data too)
	$(COMPOSE) down $(ARGS)

compose: ## docker compose on those containers (ARGS="run --rm manage seed", ARGS="logs -f worker")
	@$(COMPOSE) $(ARGS)

clean: ## delete what was built; the data under .local stays
	$(CARGO) clean
