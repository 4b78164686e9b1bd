#!/usr/bin/env bash
# Measures the scanner beside the bare parse and other tools in one interleaved run, and writes docs/scanner-speed.md.
# scripts/bench-scanner.sh [FOLDER]; the default is the standard library of the machine's Python.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_tools
apt_install python3 python3-venv
folder=${1:-$(python3 -c 'import os; print(os.path.dirname(os.__file__))')}
venvs=${SAFERUN_BENCH_VENVS:-${CARGO_TARGET_DIR:-target}/bench-venvs}
target=$(rustc -vV | sed -n 's/^host: //p')
# With the profile that packages are built with; the C code of tree-sitter, and so the floor, is the same in each.
RUSTFLAGS="-C target-feature=+crt-static" cargo build --profile dist --locked --target "$target" -p saferunctl
cargo build --profile dist --locked -p saferun-scanner --example speed
own=${CARGO_TARGET_DIR:-target}/$target/dist/saferunctl
missing=()
# Each in an environment of its own: their requirements contradict each other.
install() {
  [ -x "$venvs/$1/bin/$1" ] && return 0
  say "installing $1 from PyPI"
  python3 -m venv "$venvs/$1" && "$venvs/$1/bin/pip" install -q "$1" >&2 && [ -x "$venvs/$1/bin/$1" ] && return 0
  missing+=("$1")
  return 1
}
tools=(--tool "saferunctl scan=$own scan --format json --fail-on BLOCKED")
tools+=(--tool "saferunctl scan, one core=taskset -c 0 $own scan --format json --fail-on BLOCKED")
install bandit && tools+=(--tool "bandit -r=$venvs/bandit/bin/bandit -r -q -f json")
install ruff && tools+=(--tool "ruff check --select S --no-cache=$venvs/ruff/bin/ruff check --select S --no-cache --isolated --exit-zero --quiet")
if install guarddog; then
  # GuardDog's rules for source code are Semgrep's; Semgrep's own come from a registry.
  rules=$(find "$venvs/guarddog" -type d -path '*guarddog/analyzer/sourcecode' | head -1)
  if install semgrep && [ -n "$rules" ]; then
    mkdir -p "$venvs/rules" && find "$rules" -name '*.yml' -exec cp {} "$venvs/rules/" \;
    tools+=(--tool "semgrep with GuardDog's rules=$venvs/semgrep/bin/semgrep scan --metrics=off --disable-version-check --quiet --json --no-git-ignore --config $venvs/rules")
  fi
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"${CARGO_TARGET_DIR:-target}/dist/examples/speed" --rounds "${ROUNDS:-7}" "${tools[@]}" "$folder" >"$out"
for name in "${missing[@]}"; do echo "- $name did not install from PyPI on this machine and is left out." >>"$out"; done
cp "$out" docs/scanner-speed.md
say "wrote docs/scanner-speed.md"
