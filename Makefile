# Every target makes the environment it needs first; a second call finds it there at once.
PYTHON ?= python3
SERVICE ?=
ARGS ?=

VENV := .venv/bin
ENVIRONMENT := $(PYTHON) deploy/local/rihla_local/environment.py
LOCAL := $(VENV)/python -m rihla_local

.DEFAULT_GOAL := help
.PHONY: help run up down logs status reset demo test lint format

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

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

demo: ## a traveller's journey against the running stack, step by step
	@$(ENVIRONMENT)
	@$(LOCAL) demo

test: ## every test, on private servers of its own (ARGS='booking-service/tests -k holds')
	@$(ENVIRONMENT) --servers
	@$(LOCAL) test -n 2 $(ARGS)

lint: ## style, types, import contracts, compose file, image
	@$(ENVIRONMENT)
	@$(LOCAL) lint

format: ## lay the code out, write .env.example from the settings
	@$(ENVIRONMENT)
	@$(VENV)/ruff format . && $(VENV)/ruff check --fix .
	@$(VENV)/python -m rihla_local.env_example
