#!/usr/bin/env bash
# Writes docs/scanner-accuracy.md: what the scanner says of its corpus, of the standard libraries of this machine's
# Pythons, and of three large packages from PyPI, at the versions and hashes of scripts/accuracy.lock. It measures no time.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_tools
apt_install unzip
packages=${CARGO_TARGET_DIR:-target}/accuracy-packages
lock=scripts/accuracy.lock

# What another lock fetched is not what this one names.
if ! cmp -s "$lock" "$packages/lock"; then
  say "fetching the packages of $lock from PyPI"
  rm -rf "$packages"
  mkdir -p "$packages/wheels"
  # Only wheels without native code, and so the same files on each machine; nothing of them is run.
  python3 -m pip download -q --no-deps --require-hashes --only-binary=:all: --platform any --implementation py --abi none \
    --python-version 3.12 -d "$packages/wheels" -r "$lock"
  for wheel in "$packages"/wheels/*.whl; do unzip -q "$wheel" -d "$packages/$(basename "$wheel" | cut -d- -f1,2 | tr A-Z a-z)"; done
  cp "$lock" "$packages/lock"
fi

trees=()
declare -A seen
for python in /usr/bin/python3 "$(command -v python3)"; do
  folder=$("$python" -c 'import os; print(os.path.realpath(os.path.dirname(os.__file__)))')
  [ -z "${seen[$folder]:-}" ] || continue
  seen[$folder]=1
  version=$("$python" -c 'import platform; print(platform.python_implementation(), platform.python_version())')
  [ -f "$folder/test/test_os.py" ] && tests="with its tests" || tests="without its tests"
  trees+=("$version standard library, $tests=$folder")
done
package() { # package TITLE NAME MODULE: its version is the lock's.
  local version
  version=$(sed -n "s/^$2==\([^ ]*\).*/\1/p" "$lock")
  [ -n "$version" ] || die "$lock does not name $2"
  trees+=("$1 $version=$packages/$2-$version/$3")
}
package Django django django
package SQLAlchemy sqlalchemy sqlalchemy
package SymPy sympy sympy

out=$(mktemp)
trap 'rm -f "$out"' EXIT
cargo run -q --release --locked -p saferun-scanner --example accuracy -- "${trees[@]}" >"$out"
cp "$out" docs/scanner-accuracy.md
say "wrote docs/scanner-accuracy.md"
