#!/usr/bin/env bash
# Measures SafeRun beside the alternatives, interleaved in one run, and writes docs/benchmarks.md.
# Arguments go to `saferun-bench`; without any, everything is measured: about twenty minutes with ROUNDS=30, the default.
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
# A peer that does not install, or a part that fails, leaves its place on the page empty; the page is always written.
rounds=${ROUNDS:-30}
status=0
scripts/bench-peers.sh || say "not all peers could be installed"
packages=target/bench-packages
[ -d "$packages/numpy" ] || python3 -m pip install -q --target "$packages" --python-version 3.11 --only-binary=:all: \
  --require-hashes -r sandbox-image/python-data/requirements.lock || say "the host's Python has no packages"
"$bench" compare --rounds "$rounds" --peers target/bench-peers --packages "$packages" || status=1
"$bench" effects --rounds "$rounds" || status=1
"$bench" grow --runs 40 || status=1
"$bench" load --seconds 8 || status=1
"$bench" cold --rounds 3 || status=1
"$bench" page || status=1
exit "$status"
