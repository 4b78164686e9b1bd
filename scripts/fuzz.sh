#!/usr/bin/env bash
# Fuzzes the parsers of hostile text: scripts/fuzz.sh [SECONDS [TARGET...]]. Default: 60 seconds for each target.
# Crashes are kept in fuzz/artifacts/TARGET; run one again with `cargo fuzz run TARGET FILE`.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
if ! cargo fuzz --version >/dev/null 2>&1; then
  echo "fuzz.sh: installing cargo-fuzz from crates.io" >&2
  cargo install --locked cargo-fuzz
fi
# libFuzzer's flags are unstable ones; the stable compiler takes them like this.
export RUSTC_BOOTSTRAP=1
# The compiler's own target: cargo-fuzz would take the one that it was built for.
target=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then mapfile -t targets < <(cargo fuzz list); fi
for name in "${targets[@]}"; do
  echo "fuzz.sh: $name for $seconds s" >&2
  cargo fuzz run --target "$target" "$name" -- -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
done
