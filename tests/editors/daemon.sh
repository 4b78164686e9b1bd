# Sourced by the runners beside it: a daemon of the tests' own on a private socket, whose images are those that
# scripts/test.sh built. Needs SAFERUN_TEST_BIN and SAFERUN_ENGINE.
: "${SAFERUN_TEST_BIN:?run scripts/test.sh, or set it to the folder with the binaries}"
EDITORS_TMP=$(mktemp -d)
export SAFERUN_SOCKET=$EDITORS_TMP/s.sock SAFERUN_STATE_DIR=$EDITORS_TMP/state
# No policy but that which a test writes.
export SAFERUN_CONFIG_DIR=$EDITORS_TMP/config SAFERUN_SYSTEM_CONFIG_DIR=$EDITORS_TMP/etc
mkdir "$SAFERUN_CONFIG_DIR"
export PATH=$SAFERUN_TEST_BIN:$PATH
CACHE=${SAFERUN_EDITORS_DIR:-$ROOT/target/editors}

# The daemon is started by the run action of the first test, as a person's would be; it is stopped here.
editors_leave() {
  SAFERUN_NO_START=1 "$SAFERUN_TEST_BIN/saferunctl" daemon stop >/dev/null 2>&1 || true
  rm -rf "$EDITORS_TMP"
}
