# What people type. Each target says what it does in `make help`.
SHELL := /bin/bash
DIST := target/dist/bin

.PHONY: help build vsix demo test test-long test-podman test-bare bench bench-scanner bench-watch bench-record accuracy bench-editors fuzz lint fmt engine-start engine-stop clean

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## Build all binaries into target/dist/bin
	@scripts/build.sh

vsix: ## Package the VS Code extension with the programs of this platform: vscode-extension/saferun.vsix
	@scripts/vsix.sh

demo: ## Set everything up and run examples/safe_example.py in the sandbox
	@scripts/demo.sh

test: ## Set everything up and pass all tests
	@scripts/test.sh

test-long: ## The same with the long counts: hundreds of kills, soak
	@SAFERUN_TEST_LONG=1 scripts/test.sh

test-podman: build ## The core of the tests over a rootful Podman of their own
	@scripts/test-podman.sh

test-bare: build ## From a bare machine: doctor, doctor --fix, doctor, a run; what each says is compared with tests/bare
	@scripts/test-bare.sh

bench: ## Measure side by side with the alternatives, and write docs/benchmarks.md
	@scripts/bench.sh

bench-scanner: ## Measure the scanner side by side: bare parse, bandit, ruff, Semgrep; writes docs/scanner-speed.md
	@scripts/bench-scanner.sh

bench-watch: ## Measure the watch: latency at a subscriber, wake-ups while 50,000 files rest; twelve minutes; writes docs/watch.md
	@scripts/build.sh
	@scripts/bench-watch.py $(DIST) write docs/watch.md

bench-record: ## Measure the record of 100,000 runs: list, show, verify; writes the table of docs/record.md
	@scripts/bench-record.sh

bench-editors: ## Measure what one waits for in editors, beside ruff server; writes the tables of docs/editors.md
	@scripts/bench-editors.sh

fuzz: ## Fuzz each parser of hostile text for a minute
	@scripts/fuzz.sh

lint: ## Formatting and clippy, warnings are errors; fuzz targets compile
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	. scripts/lib.sh && check_fuzz_targets

fmt: ## Format everything
	cargo fmt --all

engine-start: ## Start a private Docker engine, where none runs
	@scripts/engine.sh start

engine-stop: ## Stop the private Docker engine
	@scripts/engine.sh stop

clean: ## Remove what was built
	cargo clean
