#!/usr/bin/env bash
# Measures SafeRun beside the alternatives, interleaved in one run, and writes docs/benchmarks.md.
# Arguments go to `saferun-bench`; without any, everything is measured (about twenty minutes).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
use_own_daemon
need_tools
apt_install bubblewrap runsc
need_engine
scripts/build.sh
"$DIST/saferunctl" image build python python-data
cargo build --release --locked -p saferun-bench
bench=${CARGO_TARGET_DIR:-target}/release/saferun-bench
if [ $# -gt 0 ]; then
  "$bench" "$@"
  exit
fi
scripts/bench-peers.sh
"$bench" compare --peers target/bench-peers
"$bench" grow
"$bench" load
"$bench" cold
"$bench" effects
"$bench" page
