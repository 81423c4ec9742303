# `make` alone lists the targets. All that is made lies in build/ (programs),
# .local/ (the local pool's data, tools) and .aws-sam/ (what is to be deployed).

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

FUNCTIONS := $(notdir $(wildcard functions/*))
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VENV  := .local/tools/venv
ORACLES   := .local/tools/oracles
VERSITYGW := github.com/versity/versitygw/cmd/versitygw@v1.8.0
MYSQLD := .local/tools/mysql/mysqld
POCO   := .local/tools/poco
SDK    := .local/tools/sdk
STACK ?= worker-pool
ADDR  ?= 127.0.0.1:8080
export ADDR

# The same sources give the same bytes on every machine, so that a deployment
# changes only the functions that changed.
LAMBDA_BUILD = GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags "-s -w -buildid="
# Nobody but `make deploy` says in words where AWS is: checks need no account.
SAM = SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(VENV)/bin/sam

# A pool that runs holds this lock, and needs what was built and what it keeps.
define free
	alive=; \
	if [ ! -e .local/lock ]; then :; \
	elif command -v flock >/dev/null; then flock -n .local/lock true || alive=1; \
	else case "$$(ps -p "$$(cat .local/lock)" -o comm= 2>/dev/null)" in *localpool*) alive=1 ;; esac; fi; \
	if [ "$$alive" ]; then echo "a local pool is running here (process $$(cat .local/lock)); end it first"; exit 1; fi
endef

# Installs packages of the distribution: as root, by sudo where that asks for no
# password; else it names them. It never removes one, such as another server.
# Arguments: what is missing, the packages.
define install
	if ! command -v apt-get >/dev/null; then root=none; elif [ "$$(id -u)" = 0 ]; then root=; elif sudo -n true 2>/dev/null; then root=sudo; else root=none; fi; \
	if [ "$$root" = none ]; then echo "$(1) is missing: sudo apt-get install $(2)"; exit 1; fi; \
	$$root apt-get update -qq; \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove $(2)
endef

# An engine for images: one that runs, or the programs for one of its own.
define engine
	if [ "$${DOCKER_HOST:-}" ] || [ -S /var/run/docker.sock ] || PATH="$$PATH:/usr/sbin" command -v dockerd >/dev/null; then exit 0; fi; \
	$(call install,Docker engine,docker.io)
endef

##@ Use
.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: free database contracts build-local ## Run the whole pool on this machine (ADDR=127.0.0.1:8080); Ctrl-C ends it
	build/local/bin/localpool

.PHONY: demo
demo: database contracts build-local ## Let workers compute a picture, one of them lying, on the pool that runs or one of its own; writes demo.png
	build/local/bin/demo

##@ Develop
.PHONY: test
test: database contracts build-local ## Run all tests, with a real database and the real functions
	go test -p 2 -timeout 9m ./...

# With MYSQL_DSN, tests that stop their server, set it up or read its counters start
# MariaDB: nobody else's server is for that. PACKAGES=./shared/store/... narrows it.
.PHONY: test-mysql
test-mysql: $(if $(MYSQL_DSN),database,$(MYSQLD)) ## Run the tests of the database on MySQL: a fetched one, or MYSQL_DSN='user:password@tcp(host:port)/'
	@export MYSQL_SERVER="$${MYSQL_DSN:-$(CURDIR)/$(MYSQLD)}"; \
	go test -count=1 -v -run '^TestPlans$$' ./shared/store | grep -v '^==='; \
	go test -count=1 -p 1 -timeout 9m -skip '^TestPlans$$' $(if $(MYSQL_DSN),,./infra/local/database) $$(go list -f \
		'{{$$p := .ImportPath}}{{range .TestImports}}{{$$p}} {{.}}{{"\n"}}{{end}}{{range .XTestImports}}{{$$p}} {{.}}{{"\n"}}{{end}}' $(or $(PACKAGES),./shared/...) | \
		sed -nE 's, workerpool/shared/(store/storetest|pooltest)$$,,p' | sort -u)

.PHONY: mutants
mutants: ## Plant every bug of the list, which the tests must notice (minutes; `make test` draws some)
	go test -count=1 -timeout 30m -v ./test/mutants -all

.PHONY: bench
bench: database contracts build-local ## Measure what the pool takes, as ratios of one run (10 minutes; BENCH='-largest 1000 -rounds 1' is quick)
	go run ./test/bench $(BENCH)

$(MYSQLD): infra/tools/mysql
	@if [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then $(call install,the keys of Debian,debian-archive-keyring); fi
	infra/tools/mysql $(@D)
	@touch $@

.PHONY: test-oracles
test-oracles: $(ORACLES)/ready $(VENV)/ready ## Hold the stand-ins against moto, versitygw and SAM's events
	@GOBIN="$(CURDIR)/$(ORACLES)/bin" go install $(VERSITYGW) || { echo "$(VERSITYGW) could not be installed"; exit 1; }
	go vet -tags oracle ./infra/local/sqs ./infra/local/s3 ./test/oracle
	PATH="$(CURDIR)/$(ORACLES)/bin:$(CURDIR)/$(VENV)/bin:$$PATH" go test -tags oracle -count=1 -parallel 8 -timeout 5m -v -run '^TestOracle$$' ./infra/local/sqs ./infra/local/s3 ./test/oracle | grep -vE '^(=== | *--- PASS)'

.PHONY: test-docker
test-docker: database ## Test container images on a real engine: one that runs here, or as root one of its own
	@$(engine)
	CGO_ENABLED=0 cmd/worker/container/with-engine go test -count=1 -p 1 -timeout 9m -tags docker -run '^TestDocker' ./cmd/worker/container ./test/e2e

.PHONY: e2e-sdk
e2e-sdk: $(SDK)/ready database contracts ## Let iExec's own client buy from a whole pool: programs, and images on a real engine
	go vet -tags sdk ./test/sdk
	go test -tags sdk -count=1 -timeout 4m -skip '^TestDocker' ./test/sdk
	@$(engine)
	cmd/worker/container/with-engine go test -tags sdk -count=1 -timeout 4m -run '^TestDocker' ./test/sdk

# POOL='-pool URL -password-file FILE -worker-password-file FILE' loads a pool that runs.
.PHONY: load
load: database build-local ## Load a pool by a plan and hold it to its promises (PLAN=test/load/plans/small.json)
	go run ./test/load -plan $(or $(PLAN),test/load/plans/small.json) $(POOL)

.PHONY: check
check: ## Check format and code (seconds)
	@unformatted=$$(gofmt -l cmd docs functions infra shared test); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...

.PHONY: validate
validate: $(VENV)/ready ## Check the templates with SAM and cfn-lint; no AWS account needed
	$(SAM) validate --lint
	$(VENV)/bin/cfn-lint template.yaml infra/*.yaml

.PHONY: lint
lint: check validate ## check and validate

.PHONY: contracts
contracts: $(POCO)/ready ## Fetch the contracts of the local chain, by npm

.PHONY: generate
generate: ## Write again what is made from the code
	go generate ./...

##@ Build and deploy
.PHONY: build
build: $(FUNCTIONS:%=build/lambda/%/bootstrap) ## Build the functions for AWS (linux/arm64)

.PHONY: build-local
build-local: $(FUNCTIONS:%=build/local/%/bootstrap) ## Build functions and programs for this machine
	@mkdir -p build/local/bin
	go build -o build/local/bin/ ./cmd/...

.PHONY: package
package: $(VENV)/ready ## Put together what is to be deployed, in .aws-sam; no AWS account needed
	$(SAM) build

.PHONY: deploy
deploy: package ## Deploy to AWS and migrate (STACK=worker-pool PARAMETERS="Name=value ...")
	SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam deploy --stack-name $(STACK) $(if $(PARAMETERS),--parameter-overrides $(PARAMETERS))
	@echo "migrate: bring the database up to date"; \
	answer=$$(SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam remote invoke MigrateFunction --stack-name $(STACK) --event '{"action":"up"}') || { echo "$$answer"; exit 1; }; \
	echo "$$answer"; \
	case "$$answer" in *'"version"'*) ;; *) echo "the database has not been brought up to date; after mending it: make deploy"; exit 1 ;; esac

.PHONY: clean
clean: free ## Remove all that was built
	rm -rf build .aws-sam

.PHONY: clean-local
clean-local: free ## Remove the local pool's data
	@if [ -d .local ]; then find .local -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +; fi

# What `sam build` calls for <Name>Function, with ARTIFACTS_DIR set.
build-%Function:
	$(LAMBDA_BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(shell echo $* | tr A-Z a-z)

# Go knows best what has to be built again.
.PHONY: FORCE
build/lambda/%/bootstrap: FORCE
	$(LAMBDA_BUILD) -o $@ ./functions/$*
build/local/%/bootstrap: FORCE
	go build -tags lambda.norpc -o $@ ./functions/$*

.PHONY: free
free:
	@$(free)

# The database server's programs, without the service that mariadb-server would
# start: the pool runs its own instance, as whoever calls make. infra/local/database
# looks for the same in the same places.
.PHONY: database
database:
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"; \
	has() { command -v "$$1" >/dev/null || command -v "$$2" >/dev/null; }; \
	if has mariadbd mysqld && has mariadb-install-db mysql_install_db && has my_print_defaults my_print_defaults; then exit 0; fi; \
	$(call install,MariaDB server,mariadb-server-core mariadb-client-core)

# Only files are taken from the packages: none of their scripts runs when they come.
CONTRACTS := infra/local/chain/contracts
$(POCO)/ready: $(CONTRACTS)/package.json $(CONTRACTS)/package-lock.json
$(SDK)/ready: test/sdk/package.json test/sdk/package-lock.json
$(POCO)/ready $(SDK)/ready:
	@if ! command -v npm >/dev/null; then $(call install,npm,npm); fi
	@rm -rf $(@D) && mkdir -p $(@D) && cp $^ $(@D)
	npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel error || { echo "what $< names could not be fetched"; exit 1; }
	@touch $@

$(VENV)/ready: infra/tools/requirements.txt
$(ORACLES)/ready: infra/tools/oracles.txt
$(VENV)/ready $(ORACLES)/ready:
	@rm -rf $(@D); \
	if python3 -m venv $(@D) >/dev/null 2>&1; then exit 0; fi; \
	$(call install,venv of Python,python3-venv); \
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $< || { echo "the packages of $< could not be installed"; exit 1; }
	@touch $@
