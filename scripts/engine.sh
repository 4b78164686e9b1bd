#!/usr/bin/env bash
# Starts or stops a private Docker engine for machines where none runs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
case "${1:-}" in
  start) need_tools; need_engine; printf 'export SAFERUN_ENGINE=%s\n' "$SAFERUN_ENGINE" ;;
  stop) stop_private_engine ;;
  *) die "usage: scripts/engine.sh start|stop" ;;
esac
