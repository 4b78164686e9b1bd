#!/usr/bin/env bash
# Measures SafeRun beside bare python3 and `docker run` with the same flags, interleaved in one run.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
use_own_daemon
need_tools
need_engine
scripts/build.sh
"$DIST/saferunctl" image build
cargo build --release --locked -p saferun-bench
"${CARGO_TARGET_DIR:-target}/release/saferun-bench" --bin "$DIST" "$@"
