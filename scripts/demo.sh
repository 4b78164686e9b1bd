#!/usr/bin/env bash
# From a fresh machine to a first sandboxed run.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
use_own_daemon
need_tools
need_engine
scripts/build.sh
say "building the sandbox image (the first time takes about half a minute)"
"$DIST/saferunctl" image build
say "saferunctl run examples/safe_example.py"
"$DIST/saferunctl" run examples/safe_example.py
if [ -n "$STARTED_ENGINE" ]; then
  say "to go on by hand: 'make engine-start', then $DIST/saferunctl run FILE"
else
  say "to go on by hand: $DIST/saferunctl run FILE"
fi
