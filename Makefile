# What a person does with a checkout. "make demo" and "make test" need Go and
# Node only; "make check" is what CI runs and fetches what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build page demo test check fmt engines format vet lint browser race fuzz bench soak clean contract manifests release trackers producers

# No part of the product needs a C compiler; only the race detector does.
export CGO_ENABLED := 0

# The linter is built once per version, from source, into build/bin.
LINT_VERSION := v2.15.0
LINT := build/bin/golangci-lint-$(LINT_VERSION)

# The page: TypeScript, built by Vite, embedded in the binary.
PAGE := dashboards/web

# What holds the API's description.
CONTRACT := schemas/contract

# Clients that send events in the tests.
TRACKERS := internal/test/trackers
PRODUCERS := internal/test/producers

# Peers of the fold, for "make bench".
DUCKDB := build/duckdb-2.0.0
CHDB := build/chdb-core-26.9.0

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: page ## build bin/rollcall, the page in it
	go build -o bin/rollcall ./cmd/rollcall

page: $(PAGE)/dist/index.html ## build the page; its figures are drawn in dashboards/web

$(PAGE)/dist/index.html: $(PAGE)/node_modules/.package-lock.json schemas/openapi.yaml $(shell find $(PAGE)/src $(PAGE)/scripts $(PAGE)/*.json $(PAGE)/*.ts $(PAGE)/*.html -type f)
	cd $(PAGE) && npm run --silent check && npm run --silent build

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json
	cd $(PAGE) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

demo: build ## run Rollcall with the demonstration markets; LISTEN=host:port to say where
	bin/rollcall demo $(if $(LISTEN),--listen $(LISTEN))

test: page ## every test that needs no server; says which it skipped and why
	cd $(PAGE) && npm test --silent
	go run ./internal/test/testreport ./...

check: format vet lint contract manifests browser race fuzz ## what CI runs: all of the below, with the real engines

fmt: $(LINT) ## format the source
	$(LINT) fmt ./...

engines: ## fetch the real Kafka and ClickHouse, and Python's readers of exports, into build/engines, or $ROLLCALL_ENGINES_DIR
	go run ./internal/test/engines/fetch

format: ## fail if gofmt would change a file
	@changed=$$(gofmt -l $$(find . -name '*.go' -not -path './build/*' -not -path '*/node_modules/*')) && \
	  if [ -n "$$changed" ]; then echo "gofmt would change: $$changed"; exit 1; fi

vet: ## go vet, and that everything builds without cgo
	go build ./...
	go vet ./...
	cd internal/bench/sketch && go vet ./...
	cd deploy/check && go vet ./...
	go vet -tags purego ./aggregate/hll
	GOARCH=arm64 go vet ./aggregate/hll

lint: $(LINT) ## golangci-lint with .golangci.yml
	$(LINT) run ./...

$(LINT):
	GOBIN=$(CURDIR)/build/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv build/bin/golangci-lint $@

contract: $(CONTRACT)/node_modules/.package-lock.json ## lint schemas/openapi.yaml, and compile a TypeScript client that is made from it
	cd $(CONTRACT) && npm run --silent lint && npm run --silent types && npm run --silent check

manifests: ## hold deploy/ and the boards' PromQL to the readers that Kubernetes and Prometheus have themselves
	cd deploy/check && go test ./...

$(CONTRACT)/node_modules/.package-lock.json: $(CONTRACT)/package-lock.json
	cd $(CONTRACT) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

browser: build ## drive the demonstration's page in Chromium, as an analyst would
	cd $(PAGE) && ROLLCALL_ENGINES=$(or $(ROLLCALL_ENGINES),require) npm run --silent browser

trackers: $(TRACKERS)/node_modules/.package-lock.json ## install the trackers' clients that the tests send events with

$(TRACKERS)/node_modules/.package-lock.json: $(TRACKERS)/package-lock.json
	cd $(TRACKERS) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error && touch node_modules/.package-lock.json

producers: $(PRODUCERS)/node_modules/.package-lock.json ## install the client of Kafka that the tests feed the topic with

$(PRODUCERS)/node_modules/.package-lock.json: $(PRODUCERS)/package-lock.json
	cd $(PRODUCERS) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error && touch node_modules/.package-lock.json

race: engines trackers producers ## every test under the race detector; a missing engine is a failure
	CGO_ENABLED=1 ROLLCALL_ENGINES=require go run ./internal/test/testreport -race -timeout 45m ./...
	go test -tags purego ./aggregate/hll

fuzz: ## a few seconds of every fuzz target; FUZZTIME=1m for longer
	.ci/fuzz $(or $(FUZZTIME),3s)

bench: engines $(DUCKDB) $(CHDB) ## all benchmarks, and the tables beside others; ROWS=50000000 for the whole
	go test -run '^$$' -bench . -benchmem ./...
	cd internal/bench/sketch && go run .
	go run ./internal/bench/load
	go test -run '^$$' -bench . -benchtime $(or $(ROUNDS),3)x -timeout 2h ./internal/bench/fold \
	  -args -rows=$(or $(ROWS),5000000) -python=$(CURDIR)/$(DUCKDB)/bin/python -chdb=$(CURDIR)/$(CHDB)/bin/python

# Without it, or without Python, the table has no DuckDB.
$(DUCKDB):
	python3 -m venv $@ && $@/bin/pip -q install duckdb==2.0.0 || rm -rf $@

# ClickHouse's newest version, as a library.
$(CHDB):
	python3 -m venv $@ && $@/bin/pip -q install chdb-core==26.9.0 || rm -rf $@

soak: engines trackers producers ## coverage of intervals, the sketch's error, the long tests (TestSoak...), SOAK=1h each, and fuzzing, ten minutes a target; with SINCE=COMMIT an hour where the package changed since
	go run ./internal/bench/coverage
	go run ./internal/bench/experiment
	ROLLCALL_SOAK=$(or $(SOAK),10m) ROLLCALL_ENGINES=require go test -run '^TestSoak' -v -timeout 24h ./...
	.ci/fuzz $(or $(FUZZTIME),10m) $(if $(SINCE),$(SINCE) 1h)

release: page ## archives of the static binary for Linux and macOS, their bills of materials and SHA256SUMS, into dist; the same commit gives the same bytes
	go run ./internal/release/pack -o dist -version $$(sed -n 's/^const version = "\(.*\)"$$/\1/p' cmd/rollcall/main.go)

clean: ## remove what was built; the engines stay
	rm -rf bin dist build/bin
