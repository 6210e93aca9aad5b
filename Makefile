# Every target makes the environment it needs first; a second call finds it there at once.
PYTHON ?= python3
SERVICE ?=
BACKUP ?=
ARGS ?=
MINUTES ?= 5
SEED ?= 1
RATE ?= 6
QUICK ?=

VENV := .venv/bin
ENVIRONMENT := $(PYTHON) deploy/local/rihla_local/environment.py
LOCAL := $(VENV)/python -m rihla_local

.DEFAULT_GOAL := help
.PHONY: help run up down logs status reset backup restore demo test lint format chaos bench bench-data

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: ## start everything in the foreground; Ctrl-C stops it (REPLICAS=3 runs three of each service)
	@$(ENVIRONMENT) --servers
	@exec $(LOCAL) run

up: ## the same in the background; returns when everything is ready
	@$(ENVIRONMENT) --servers
	@$(LOCAL) up

down: ## stop the stack
	@$(ENVIRONMENT)
	@$(LOCAL) down

logs: ## follow the logs (SERVICE=booking for one service)
	@$(ENVIRONMENT)
	@SERVICE="$(SERVICE)" exec $(LOCAL) logs

status: ## processes, ports, restarts, memory
	@$(ENVIRONMENT)
	@$(LOCAL) status

reset: ## stop the stack and empty its data
	@$(ENVIRONMENT)
	@$(LOCAL) reset

backup: ## databases, documents and secrets of the running stack into one folder (BACKUP=folder)
	@$(ENVIRONMENT)
	@BACKUP="$(BACKUP)" $(LOCAL) backup

restore: ## the same back into this checkout, whose stack is down (BACKUP=folder)
	@$(ENVIRONMENT) --servers
	@BACKUP="$(BACKUP)" $(LOCAL) restore

demo: ## a traveller's journey against the running stack, step by step
	@$(ENVIRONMENT)
	@$(LOCAL) demo

test: ## every test, on private servers of its own (ARGS='booking-service/tests -k holds')
	@$(ENVIRONMENT) --servers
	@$(LOCAL) test -n 3 --dist worksteal $(ARGS)

lint: ## style, types, import contracts, compose file, image
	@$(ENVIRONMENT)
	@$(LOCAL) lint

format: ## lay the code out, write .env.example from the settings
	@$(ENVIRONMENT)
	@$(VENV)/ruff format . && $(VENV)/ruff check --fix .
	@$(VENV)/python -m rihla_local.env_example

chaos: ## break a stack of its own under load, then judge it (MINUTES=5 SEED=1 RATE=6 REPLICAS=3 ARGS="--blackout --page")
	@$(ENVIRONMENT) --servers
	@PYTHONPATH=tests/chaos $(VENV)/python -m rihla_chaos --minutes $(MINUTES) --seed $(SEED) --rate $(RATE) $(ARGS)

bench: ## measure everything beside its floor, write docs/benchmarks.md (QUICK=1: under three minutes, no page)
	@$(ENVIRONMENT) --servers
	@$(VENV)/python bench/run.py $(if $(QUICK),--quick) $(ARGS)

bench-data: ## make the data sets the benches use
	@$(ENVIRONMENT) --servers
	@$(VENV)/python bench/run.py --data
