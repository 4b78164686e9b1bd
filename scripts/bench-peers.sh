#!/usr/bin/env bash
# Installs the tools of the same kind that `make bench` compares with, into target/bench-peers.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
apt_install bubblewrap socat ripgrep python3-venv
peers=target/bench-peers
mkdir -p "$peers"
if [ ! -x "$peers/venv/bin/python" ]; then
  say "installing llm-sandbox"
  python3 -m venv "$peers/venv"
  "$peers/venv/bin/pip" install -q 'llm-sandbox[docker]==0.3.46' 'docker==7.2.0'
fi
if command -v npm >/dev/null && [ ! -d "$peers/node_modules/@anthropic-ai/sandbox-runtime" ]; then
  say "installing sandbox-runtime"
  npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$peers" @anthropic-ai/sandbox-runtime@0.0.83
fi
