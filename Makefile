# The front door: every command that the README names is a target here. `make` alone prints them.
# A recipe is short; what needs more than a few lines is a script in hack/ with the same name.

SHELL = /usr/bin/env bash -o pipefail
.SHELLFLAGS = -ec
.DEFAULT_GOAL = help

# `make help` prints the lines that start with #? as the list of variables.
#? VARIANT       which operator: handwritten or kopf (default handwritten)
VARIANT ?= handwritten
#? KUBECONFIG    the kubeconfig file that names the cluster (default: what kubectl takes)
KUBECONFIG ?=
#? CONTEXT       the context in it; needed to change a cluster not named kind-*, kwok-* or twinloop-*
CONTEXT ?=
#? NAMESPACE     run: the namespace to look after (default: all); samples: where to put them (default: default)
NAMESPACE ?=
#? KIND_CLUSTER  the kind cluster of e2e-cluster, e2e-down and load (default twinloop)
KIND_CLUSTER ?= twinloop
#? KIND_IMAGE    the node image for a new kind cluster (default: kind's own)
KIND_IMAGE ?=
#? IMG, TAG      name and tag of the operator's image (default twinloop-VARIANT and dev)
IMG ?= twinloop-$(VARIANT)
TAG ?= dev
#? ARGS          run: further arguments for the operator
ARGS ?=
#? TEST_ARGS     test: further arguments for pytest
TEST_ARGS ?=
#? BENCH         bench: which of machinery, apiserver, operators, proxy (default all but proxy; apiserver and operators want kwokctl)
BENCH ?= machinery apiserver operators
#? BENCH_ARGS    bench: further arguments, such as "--rounds 1"
BENCH_ARGS ?=
#? E2E_ARGS      e2e: further arguments for pytest, such as "-k scale"
E2E_ARGS ?=
#? E2E_CLUSTER   e2e: the kind cluster to create and delete (default twinloop-e2e)
E2E_CLUSTER ?= twinloop-e2e
#? KEEP          e2e: 1 keeps the cluster
KEEP ?=
#? LEADER_ELECT  deploy: 1 deploys two replicas of the handwritten operator, one of which stands by
LEADER_ELECT ?=
#? BACKEND       conformance: the real server, one of kwok, kind, current (default: the first that is there)
BACKEND ?=
#? GOLDEN        conformance: 1 writes the real server's answers down instead of comparing
GOLDEN ?=
#? ONLY          conformance: only the cases whose name matches, such as "watch/*"
ONLY ?=
#? SCENARIO      compare: names or patterns as in `twinloop list`, or calm, fault, all (default all)
SCENARIO ?= all
#? COMPARE_BACKEND  compare: embedded, kind, kwok or current (default embedded)
COMPARE_BACKEND ?= embedded
#? COMPARE_ARGS  compare: further flags, see `twinloop compare --help`
COMPARE_ARGS ?=
#? RUN           report: the folder of a run (default results/latest)
RUN ?= results/latest
#? YES           uninstall: 1 deletes NginxPods without asking
YES ?=
#? PYTHON, DOCKER, KIND, KUBECTL  the programs to use
PYTHON ?= python3
DOCKER ?= docker
KIND ?= kind
KUBECTL ?= kubectl

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The scripts in hack/ take their settings from the environment.
export VARIANT KUBECONFIG CONTEXT NAMESPACE KIND_CLUSTER KIND_IMAGE IMG TAG E2E_CLUSTER KEEP YES LEADER_ELECT BACKEND GOLDEN ONLY
export PYTHON DOCKER KIND KUBECTL

##@ General

.PHONY: help
help: ## Show this help
	@awk 'BEGIN { FS = ":.*## "; print "\nUsage: make <target> [VARIABLE=value ...]" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 } \
		/^#\? / { variables = variables "  " substr($$0, 4) "\n" } \
		END { printf "\nVariables\n%s\n", variables }' $(MAKEFILE_LIST)

.PHONY: doctor
doctor: ## Say what is missing on this machine and how to get it
	@hack/doctor

.PHONY: clean
clean: ## Remove what was generated here: .venv, caches, results (clusters: make e2e-down)
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .pytest-kind results build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: demo
demo: $(INSTALLED) ## Both operators live through a short story, side by side; no Docker, no cluster
	@$(BIN)/twinloop demo

##@ Development

.PHONY: test
test: $(INSTALLED) ## Run all tests that need no cluster and no Docker
	$(BIN)/pytest tests --ignore=tests/e2e $(TEST_ARGS)

.PHONY: soak
soak: $(INSTALLED) ## 10 minutes of mixed load on the embedded API server; SOAK_SECONDS=... for another time
	SOAK_SECONDS=$${SOAK_SECONDS:-600} $(BIN)/pytest tests/soak $(TEST_ARGS)

.PHONY: fuzz
fuzz: $(INSTALLED) ## 20,000 malformed requests to the embedded API server; FUZZ_REQUESTS=... for more, FUZZ_SEED=... for others
	FUZZ_REQUESTS=$${FUZZ_REQUESTS:-20000} $(BIN)/pytest tests/fuzz $(TEST_ARGS)

.PHONY: bench
bench: $(INSTALLED) ## Measure the machinery, the API server and the operators beside their peers; BENCH=... for one of them
	@for bench in $(BENCH); do echo "==> $$bench" >&2; $(BIN)/python -m benchmarks.$$bench $(BENCH_ARGS); done

.PHONY: mutation
mutation: $(INSTALLED) ## Change the queue and the cache in 750 small ways: does a test notice each? (10 to 20 minutes, in a copy)
	@$(BIN)/python hack/mutation

.PHONY: lint
lint: $(INSTALLED) ## Check style, types, import layers, spelling and YAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter
	$(BIN)/codespell
	$(BIN)/yamllint --strict .

.PHONY: fmt
fmt: $(INSTALLED) ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: run
run: $(INSTALLED) ## Run the operator VARIANT on this machine, against the current cluster
	@hack/run $(ARGS)

.PHONY: requirements
requirements: ## Pin requirements/*.txt anew from pyproject.toml
	@hack/pin-requirements

##@ Images

.PHONY: docker-build
docker-build: ## Build the image of VARIANT
	@hack/image build

.PHONY: load
load: ## Load the image of VARIANT into the kind cluster KIND_CLUSTER
	@hack/image load

##@ Cluster

.PHONY: install
install: ## Install the CustomResourceDefinition
	@hack/crd install

.PHONY: uninstall
uninstall: ## Remove the CustomResourceDefinition and with it every NginxPod (asks first)
	@hack/crd uninstall

.PHONY: deploy
deploy: ## Deploy the operator VARIANT (installs the CustomResourceDefinition too) and wait for it
	@hack/deploy

.PHONY: undeploy
undeploy: ## Remove the operator VARIANT and wait until it is gone
	@hack/undeploy

.PHONY: samples
samples: ## Apply the samples of crds/samples
	@hack/samples

.PHONY: logs
logs: ## Follow the log of the deployed operator VARIANT
	@hack/logs

##@ Comparison

.PHONY: compare
compare: $(INSTALLED) ## Tell the same stories to all operators, calm and with faults, and report how they differ
	@$(BIN)/twinloop compare $(foreach each,$(SCENARIO),--scenario '$(each)') --backend $(COMPARE_BACKEND) $(COMPARE_ARGS)

.PHONY: report
report: $(INSTALLED) ## Print the last comparison again; its pages are in results/latest
	@$(BIN)/twinloop report $(RUN)

##@ End to end

.PHONY: e2e
e2e: doctor $(INSTALLED) ## Run the end-to-end tests of both variants on a kind cluster of their own
	@hack/e2e $(E2E_ARGS)

.PHONY: conformance
conformance: $(INSTALLED) ## Compare the embedded API server with a real one, request by request
	@hack/conformance

.PHONY: e2e-cluster
e2e-cluster: ## Create the kind cluster KIND_CLUSTER and print the line that selects it
	@hack/cluster up

.PHONY: e2e-down
e2e-down: ## Delete the kind cluster KIND_CLUSTER
	@hack/cluster down

# Pinned versions first, then the project itself, editable: kopf and pytest import what is being edited.
$(INSTALLED): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11 or missing; set PYTHON=python3.12 or the like" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
