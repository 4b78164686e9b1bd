#!/usr/bin/env bash
# Measures SafeRun beside the alternatives, interleaved in one run, and writes docs/benchmarks.md.
#   scripts/bench.sh                everything, about 30 minutes with ROUNDS=30, the default
#   scripts/bench.sh --quick        everything with a few rounds, about four minutes: shows that it runs, measures nothing,
#                                   and writes to target/bench-quick only
#   scripts/bench.sh compare ...    one part, with the options of `saferun-bench`; `effects --into docs/effects.md` also
#                                   replaces the table of that page, as everything does without --quick
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
quick=
if [ "${1:-}" = --quick ]; then
  quick=1
  shift
fi
use_own_daemon
need_tools
apt_install bubblewrap runsc
need_engine
# Newer Debian has the client in a package of its own.
command -v docker >/dev/null || apt_install docker-cli || apt_install docker.io
scripts/build.sh
"$DIST/saferunctl" image build python python-data
cargo build --release --locked -p saferun-bench
bench=${CARGO_TARGET_DIR:-target}/release/saferun-bench
if [ $# -gt 0 ]; then
  "$bench" ${quick:+--quick} "$@"
  exit
fi

# A peer that does not install, or a part that fails, leaves its place on the page empty; the page is always written. Samples
# of an earlier run are never part of it.
status=0
scripts/bench-peers.sh || say "not all peers could be installed"
packages=target/bench-packages
[ -d "$packages/numpy" ] || python3 -m pip install -q --target "$packages" --python-version 3.11 --only-binary=:all: \
  --require-hashes -r sandbox-image/python-data/requirements.lock || say "the host's Python has no packages"
cargo build --release --locked -p saferun-scanner --example speed
pypi_tool bandit "$BANDIT" || say "bandit could not be installed"
library=$(/usr/bin/python3 -c 'import os; print(os.path.dirname(os.__file__))')
SAFERUN_BENCH_RUN=$(date -u +%Y-%m-%dT%H:%M:%SZ)
export SAFERUN_BENCH_RUN
if [ -n "$quick" ]; then
  out=target/bench-quick docs=target/bench-quick
  rounds=1 runs=1 seconds=1 colds=1 scans=1
  library=$library/asyncio
else
  out=target/bench docs=docs
  rounds=${ROUNDS:-30} runs=101 seconds=6 colds=3 scans=3
fi
rm -rf "$out"
part() {
  local began=$SECONDS
  say "$1"
  "$bench" ${quick:+--quick} --out "$out" "$@" || status=1
  say "$1 took $((SECONDS - began)) s"
}
part compare --rounds "$rounds" --peers target/bench-peers --packages "$packages"
part effects --rounds "$rounds" --into docs/effects.md
part durability --rounds "$rounds"
part grow --runs "$runs"
part load --seconds "$seconds"
part cold --rounds "$colds"
part scanner --rounds "$scans" --speed "${CARGO_TARGET_DIR:-target}/release/examples/speed" --folder "$library" --bandit "$TOOL_VENVS/bandit-$BANDIT/bin/bandit"
part page --docs "$docs"
exit "$status"
