#!/usr/bin/env bash
# Measures SafeRun beside bare python3 and `docker run` with the same flags, interleaved in one run.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
STARTED_ENGINE=
work=$(mktemp -d)
export SAFERUN_SOCKET=$work/saferund.sock SAFERUN_STATE_DIR=$work/state
finish() {
  "$DIST/saferunctl" daemon stop >/dev/null 2>&1 || true
  [ -z "$STARTED_ENGINE" ] || stop_private_engine
  rm -rf "$work"
}
trap finish EXIT
need_tools
need_engine
scripts/build.sh
"$DIST/saferunctl" image build
cargo build --release --locked -p saferun-bench
"${CARGO_TARGET_DIR:-target}/release/saferun-bench" --bin "$DIST" "$@"
