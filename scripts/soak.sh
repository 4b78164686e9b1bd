#!/usr/bin/env bash
# Runs good, crashing, flooding, hoarding, endless and cancelled programs for so many minutes, and looks
# whether descriptors, threads, memory, files or containers grow: scripts/soak.sh [MINUTES]. Default: 60.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
minutes=${1:-60}
[[ $minutes =~ ^[0-9]+$ ]] || die "usage: scripts/soak.sh [MINUTES]"
use_own_daemon
need_tools
need_engine
scripts/build.sh
"$DIST/saferunctl" image build python
"$DIST/saferunctl" daemon stop
unset SAFERUN_SOCKET SAFERUN_STATE_DIR
SAFERUN_TEST_BIN=$DIST SAFERUN_REQUIRE_ENGINE=1 SAFERUN_SOAK_MINUTES=$minutes \
  cargo test -p saferun-tests --locked --test soak -- --test-threads=1
say "nothing grew in $minutes minutes"
