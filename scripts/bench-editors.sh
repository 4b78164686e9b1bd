#!/usr/bin/env bash
# Measures what a person in an editor waits for, and puts the tables into docs/editors.md: keystroke to diagnostics beside
# `ruff server`, the server's memory, and from the key press on "Run in sandbox" to the first output in Neovim and VS Code.
# scripts/bench-editors.sh [KEYS] [RUNS]; builds the programs unless SAFERUN_TEST_BIN names their folder.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
use_own_daemon
need_tools
need_engine
[ -n "${SAFERUN_TEST_BIN:-}" ] || scripts/build.sh
bin=${SAFERUN_TEST_BIN:-$DIST}
say "building the sandbox image"
"$bin/saferunctl" image build python
"$bin/saferunctl" daemon stop
tests/editors/setup.sh
cache=${SAFERUN_EDITORS_DIR:-$ROOT/target/editors}
say "keystroke to diagnostics"
"$cache/venv/bin/python" tests/editors/bench.py "$bin/saferun-lsp" "$cache/venv/bin/ruff" "${1:-200}" >"$OWN_FOLDER/keys.json"
say "key press to first output"
ROUNDS=${2:-20} SAFERUN_TEST_BIN=$bin tests/editors/run.sh neovim vsix vscode-ui
grep -h first_output_ms "$cache/out/neovim.jsonl" "$cache/out/vscode-ui.log" >"$OWN_FOLDER/output.jsonl"
"$cache/venv/bin/python" tests/editors/figures.py docs/editors.md "$OWN_FOLDER/keys.json" "$OWN_FOLDER/output.jsonl"
say "wrote the tables of docs/editors.md"
