#!/usr/bin/env bash
# Measures the scanner beside the bare parse and other tools in one interleaved run, and writes docs/scanner-speed.md.
# scripts/bench-scanner.sh [FOLDER [PAGE]]; the default is the standard library of the machine's Python. ROUNDS=N: 7.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_tools
apt_install python3 python3-venv util-linux
folder=${1:-$(/usr/bin/python3 -c 'import os; print(os.path.dirname(os.__file__))')}
page=${2:-docs/scanner-speed.md}
venvs=$TOOL_VENVS
# The programs that users get; the C code of tree-sitter, and so the floor, is the same in each.
scripts/build.sh
cargo build --release --locked -p saferun-scanner --example speed
own=$DIST/saferunctl
missing=()
facts=()
install() {
  if ! pypi_tool "$1" "$2"; then
    missing+=("$1 $2: it did not install from PyPI on this machine")
    return 1
  fi
  facts+=("$1 $2, from PyPI, in an environment of its own")
}
cpu() { sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1; }
commit=$(git rev-parse --short=12 HEAD)
[ -z "$(git status --porcelain --untracked-files=no)" ] || commit="$commit, with changes that are not committed"
facts+=("SafeRun at commit $commit, built by $(rustc --version)")
facts+=("$(cpu), $(nproc) cores, Linux $(uname -r | cut -d- -f1), $(uname -m)")
facts+=("measured on $(date -u +%Y-%m-%d); load average at the start: $(cut -d' ' -f1 /proc/loadavg)")
facts+=("the files are those of $(/usr/bin/python3 --version); the other tools run with $(python3 --version)")

# One core is the first that this shell may use.
core=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
# Which codes end a whole scan: with findings saferunctl and bandit end with 1; ruff is told not to, Semgrep does not.
tools=(--tool "saferunctl scan|all|0 1|$own scan --format json --fail-on BLOCKED")
tools+=(--tool "saferunctl scan|one|0 1|taskset -c $core $own scan --format json --fail-on BLOCKED")
if install bandit $BANDIT; then
  tools+=(--tool "bandit -r|one|0 1|taskset -c $core $venvs/bandit-$BANDIT/bin/bandit -r -q -f json")
fi
if install ruff 0.17.6; then
  tools+=(--tool "ruff check --select S --no-cache|all|0|$venvs/ruff-0.17.6/bin/ruff check --select S --no-cache --isolated --exit-zero --quiet")
fi
# Up to 2.10 GuardDog's rules for source code are Semgrep's (later ones are YARA's); Semgrep's own come from a registry.
rules=
if install guarddog 2.10.0; then
  rules=$(find "$venvs/guarddog-2.10.0" -type d -path '*guarddog/analyzer/sourcecode' | head -1)
  if [ -n "$rules" ] && [ -n "$(find "$rules" -name '*.yml' -print -quit)" ]; then
    rm -rf "$venvs/rules" && mkdir -p "$venvs/rules"
    find "$rules" -name '*.yml' -exec cp {} "$venvs/rules/" \;
    facts+=("GuardDog's $(find "$venvs/rules" -name '*.yml' | wc -l) files of Semgrep rules")
  else
    rules=
    missing+=("GuardDog 2.10.0: no Semgrep rules are in its package")
  fi
fi
if install semgrep 1.185.0; then
  if [ -n "$rules" ]; then
    tools+=(--tool "semgrep with GuardDog's rules|all|0|$venvs/semgrep-1.185.0/bin/semgrep scan --metrics=off --disable-version-check --quiet --json --no-git-ignore --config $venvs/rules")
  else
    missing+=("Semgrep 1.185.0: the rules that it would run are GuardDog's, and those are not there; its own come from a registry")
  fi
fi
about=()
for fact in "${facts[@]}"; do about+=(--fact "$fact"); done
for one in "${missing[@]}"; do about+=(--missing "$one"); done
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"${CARGO_TARGET_DIR:-target}/release/examples/speed" --rounds "${ROUNDS:-7}" "${about[@]}" "${tools[@]}" "$folder" >"$out"
cp "$out" "$page"
say "wrote $page"
