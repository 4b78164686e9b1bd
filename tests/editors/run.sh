#!/usr/bin/env bash
# Drives the real editors against the real server, daemon and engine. `run.sh NAME...` runs some: lsp, neovim, eglot,
# ale, settings, vsix, vscode-api, vscode-ui, vscode-first, vscode-watch. Screenshots and logs are kept in target/editors/out;
# SAFERUN_KEEP_SHOTS=1 run.sh vsix vscode-ui also makes those of the extension's README anew.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
HERE=$ROOT/tests/editors
. "$HERE/daemon.sh"
trap editors_leave EXIT
OUT=$CACHE/out
mkdir -p "$OUT"
failed=()
count=0

run() {
  local name=$1 began=$SECONDS
  shift
  count=$((count + 1))
  say "editors: $name"
  if "$@"; then
    say "editors: $name passed in $((SECONDS - began)) s"
  else
    say "editors: $name FAILED after $((SECONDS - began)) s"
    failed+=("$name")
  fi
}

lsp() {
  (cd "$HERE/lsp" && timeout 300 "$CACHE/venv/bin/python" -m pytest -p no:cacheprovider .)
}

neovim() {
  local work=$EDITORS_TMP/neovim
  mkdir -p "$work/config" "$work/plugin"
  # A copy, because help tags are written into it.
  cp -r "$ROOT/neovim/." "$work/plugin/"
  (cd "$work" && HOME=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state XDG_DATA_HOME=$work/data \
    timeout 120 "$CACHE/venv/bin/nvim" --clean --headless -l "$HERE/neovim/e2e.lua" "$work/plugin" "$work") | tee "$OUT/neovim.jsonl"
  grep -q '"result":"PASS"' "$OUT/neovim.jsonl"
}

eglot() {
  local file=$EDITORS_TMP/eglot/a.py
  mkdir -p "$(dirname "$file")"
  printf 'import yaml\nyaml.load(open("x"))\n' >"$file"
  python3 "$HERE/settings.py" elisp >"$EDITORS_TMP/eglot/settings.el"
  timeout 180 emacs --batch -Q -l "$HERE/emacs/e2e.el" "$file" "$EDITORS_TMP/eglot/settings.el" >"$OUT/eglot.log" 2>&1 || { tail -60 "$OUT/eglot.log" >&2; return 1; }
  grep -q '^PASS' "$OUT/eglot.log"
}

ale() {
  local work=$EDITORS_TMP/ale want
  mkdir -p "$work"
  python3 "$HERE/settings.py" vim >"$work/settings.vim"
  rm -f "$OUT/ale.txt"
  (cd "$work" && SETTINGS=$work/settings.vim OUT=$OUT/ale.txt timeout 180 vim -es -Nu NONE -S "$HERE/vim/e2e.vim" </dev/null) || true
  [ -s "$OUT/ale.txt" ] || { echo "Vim wrote nothing" >&2; return 1; }
  for want in '^FOUND a.py 2:1 .*SR631' '^ACTIONS .*SafeRun: Run in sandbox' '^TEXT yaml.safe_load' \
    '^REPORT from the sandbox$' '^REPORT .*exit code 1' '^FOUND a.md 4:' '^REPORT 42$' '^FOUND .saferun.yaml 2:' '^PASS$'; do
    grep -q "$want" "$OUT/ale.txt" || { echo "missing: $want" >&2; cat "$OUT/ale.txt" >&2; return 1; }
  done
}

# The settings of editors that cannot be driven here can at least be read.
settings() { python3 "$HERE/settings.py" --check; }

# One command makes the .vsix, with the programs in it and the licences of all parts.
vsix() {
  "$ROOT/scripts/vsix.sh" "$SAFERUN_TEST_BIN" >"$OUT/vsix.log" 2>&1 || { tail -30 "$OUT/vsix.log" >&2; return 1; }
  "$CACHE/venv/bin/python" -m zipfile -l "$ROOT/vscode-extension/saferun.vsix" >"$OUT/vsix.txt"
  local want
  for want in bin/saferun-lsp bin/saferunctl bin/saferund bin/saferun-init dist/extension.js LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt; do
    grep -q "^extension/$want " "$OUT/vsix.txt" || { echo "the package has no $want" >&2; return 1; }
  done
  ! grep -q 'node_modules\|/src/\|meta.json' "$OUT/vsix.txt" || { echo "the package holds what it should not" >&2; return 1; }
}

# With SAFERUN_KEEP_SHOTS set, the screenshots of the extension's README are replaced by those of this run.
vscode_ui() {
  CACHE=$CACHE OUT=$OUT EDITORS_TMP=$EDITORS_TMP timeout 240 "$HERE/vscode.sh" ui | tee "$OUT/vscode-ui.log" || return 1
  [ -z "${SAFERUN_KEEP_SHOTS:-}" ] || keep_shots
}
keep_shots() {
  local kept=$ROOT/vscode-extension/media/shots
  cp "$OUT/shots/findings.png" "$kept/findings.png"
  cp "$OUT/shots/overridden.png" "$kept/run.png"
}
vscode_api() { CACHE=$CACHE OUT=$OUT EDITORS_TMP=$EDITORS_TMP timeout 150 "$HERE/vscode.sh" api | tee "$OUT/vscode-api.log"; }
vscode_first() { CACHE=$CACHE OUT=$OUT EDITORS_TMP=$EDITORS_TMP timeout 150 "$HERE/vscode.sh" first | tee "$OUT/vscode-first.log"; }

vscode_watch() { CACHE=$CACHE OUT=$OUT EDITORS_TMP=$EDITORS_TMP timeout 300 "$HERE/vscode.sh" watch | tee "$OUT/vscode-watch.log"; }

all=(lsp neovim eglot ale settings vsix vscode-api vscode-ui vscode-first vscode-watch)
[ $# -gt 0 ] || set -- "${all[@]}"
for name in "$@"; do run "$name" "${name//-/_}"; done
if [ ${#failed[@]} -gt 0 ]; then
  echo "$((count - ${#failed[@]})) passed, ${#failed[@]} failed" >&2
  die "editors that failed: ${failed[*]}"
fi
echo "$count passed, 0 failed" >&2
