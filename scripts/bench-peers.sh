#!/usr/bin/env bash
# Installs the tools of the same kind that `make bench` compares with, into target/bench-peers.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
apt_install bubblewrap socat ripgrep python3-venv
# Node from elsewhere brings npm with it, and Debian's would not install beside it.
{ command -v node && command -v npm; } >/dev/null || apt_install nodejs npm
peers=target/bench-peers
mkdir -p "$peers"
missing=0
if [ ! -x "$peers/venv/bin/python" ] || ! "$peers/venv/bin/python" -c 'import llm_sandbox, docker' 2>/dev/null; then
  say "installing llm-sandbox"
  { /usr/bin/python3 -m venv "$peers/venv" &&
    "$peers/venv/bin/pip" install -q 'llm-sandbox[docker]==0.3.46' 'docker==7.2.0'; } || missing=1
fi
if [ ! -f "$peers/node_modules/@anthropic-ai/sandbox-runtime/dist/cli.js" ]; then
  say "installing sandbox-runtime"
  npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$peers" @anthropic-ai/sandbox-runtime@0.0.83 ||
    missing=1
fi
exit "$missing"
