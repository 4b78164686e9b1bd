#!/usr/bin/env bash
# Installs the editors that the tests drive: Debian's Emacs, Vim and Chromium, and pinned npm and PyPI packages into
# target/editors (or SAFERUN_EDITORS_DIR). Does nothing where they are there already.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
HERE=$ROOT/tests/editors
CACHE=${SAFERUN_EDITORS_DIR:-$ROOT/target/editors}
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
mkdir -p "$CACHE"
apt_install python3 python3-venv emacs-nox elpa-eglot elpa-markdown-mode elpa-yaml-mode vim-nox vim-ale chromium fonts-dejavu-core curl
command -v npm >/dev/null || apt_install nodejs npm

stamp() { sha256sum "$@" | sha256sum | cut -c1-16; }

# Python: pytest-lsp, Neovim's binary, ruff to compare with.
want=$(stamp "$HERE/requirements.txt")
if [ "$(cat "$CACHE/venv/.stamp" 2>/dev/null)" != "$want" ]; then
  say "installing pytest-lsp, Neovim and ruff into $CACHE/venv"
  rm -rf "$CACHE/venv"
  python3 -m venv "$CACHE/venv"
  "$CACHE/venv/bin/pip" install -q --disable-pip-version-check -r "$HERE/requirements.txt"
  echo "$want" >"$CACHE/venv/.stamp"
fi

# VS Code: its server as npm packs it. No install script runs and nothing is compiled; what code-server's own
# script would do, minus the native builds, stands here.
want=$(stamp "$HERE/package-lock.json" "$HERE/package.json")
if [ "$(cat "$CACHE/vscode/.stamp" 2>/dev/null)" != "$want" ]; then
  say "installing VS Code's server into $CACHE/vscode"
  rm -rf "$CACHE/vscode"
  mkdir -p "$CACHE/vscode"
  cp "$HERE/package.json" "$HERE/package-lock.json" "$CACHE/vscode/"
  (cd "$CACHE/vscode" && npm ci --ignore-scripts --loglevel=error)
  vs=$CACHE/vscode/node_modules/code-server/lib/vscode
  (cd "$vs" && npm i --omit=dev --ignore-scripts --loglevel=error)
  (cd "$vs/extensions" && npm i --omit=dev --ignore-scripts --loglevel=error)
  echo "$want" >"$CACHE/vscode/.stamp"
fi

# What builds the extension.
extension=$ROOT/vscode-extension
[ "$extension/node_modules/.package-lock.json" -nt "$extension/package-lock.json" ] ||
  (cd "$extension" && npm ci --no-audit --no-fund --loglevel=error)
