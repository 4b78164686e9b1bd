#!/usr/bin/env bash
# Sets everything up and passes all tests, against a real engine: the user's if one answers, else a
# private one that is ended again by its pid.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
# Each heading says how long it took to get there.
say() { printf '\033[1m==>\033[0m [%d min %02d s] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*" >&2; }
use_own_daemon
need_tools
# The gVisor tier is tested where the distribution has it.
apt_install runsc || say "SKIPPED: the gVisor tier, because there is no package called runsc"
# A clock that jumps is played to the daemon by this library.
apt_install faketime || say "SKIPPED: the test of a clock that jumps, because there is no package called faketime"
# The engine's part is tested over Podman, too, with a service and a storage of the test's own.
apt_install podman || say "SKIPPED: Podman, because there is no package of it"
# The units are checked by systemd's own tools, whether or not it runs here.
apt_install systemd
need_engine
scripts/build.sh
say "building the sandbox image"
"$DIST/saferunctl" image build python python-data
"$DIST/saferunctl" daemon stop
# Tests start daemons of their own, each on its own socket.
unset SAFERUN_SOCKET SAFERUN_STATE_DIR
say "formatting and lints"
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
check_fuzz_targets
say "instruction counts (another compiler or processor says SKIPPED)"
scripts/instructions.sh
say "tests that need no engine (a test that cannot run says SKIPPED)"
INSTA_UPDATE=no cargo test --workspace --exclude saferun-tests --locked -- --skip engine::docker::live
say "tests of the engine's part against the engine at $SAFERUN_ENGINE"
SAFERUN_TEST_ENGINE=$SAFERUN_ENGINE cargo test --workspace --exclude saferun-tests --lib --locked engine::docker::live -- --test-threads=1
say "tests against the engine at $SAFERUN_ENGINE"
SAFERUN_TEST_BIN=$DIST SAFERUN_REQUIRE_ENGINE=1 cargo test -p saferun-tests --locked -- --test-threads=1
# These take minutes and are targets of their own, too; podman.rs above runs each limit and self-check over Podman.
if [ "${SAFERUN_TEST_LONG+set}" = set ]; then
  scripts/test-podman.sh outcomes
  say "from a bare machine to a green doctor"
  scripts/test-bare.sh
fi
say "the editors, against the engine at $SAFERUN_ENGINE"
tests/editors/setup.sh
SAFERUN_TEST_BIN=$DIST tests/editors/run.sh
say "all passed"
