#!/usr/bin/env bash
# Packages the VS Code extension with SafeRun's programs for this platform, so that it needs nothing else but a container
# engine: vsix.sh [FOLDER] takes the programs from FOLDER, and builds them where none is named.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
EXTENSION=$ROOT/vscode-extension
from=${1:-}
if [ -z "$from" ]; then
  "$ROOT/scripts/build.sh"
  from=$DIST
fi
case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=linux-x64 ;;
  Linux-aarch64) platform=linux-arm64 ;;
  *) die "there are no programs for $(uname -s) on $(uname -m): they need Linux on x86-64 or 64-bit ARM" ;;
esac
rm -rf "$EXTENSION/bin"
mkdir -p "$EXTENSION/bin"
# The daemon looks for the supervisor beside itself: it goes into each image that is built.
for program in saferun-lsp saferunctl saferund saferun-init; do
  [ -x "$from/$program" ] || die "$from/$program is missing: run scripts/build.sh"
  install -m 755 "$from/$program" "$EXTENSION/bin/$program"
  # The supervisor stays as it is: another one would put images out of date that an installed SafeRun built.
  [ "$program" = saferun-init ] || ! command -v strip >/dev/null || strip "$EXTENSION/bin/$program"
done
cp "$ROOT/LICENSE-MIT" "$ROOT/LICENSE-APACHE" "$EXTENSION/"
cd "$EXTENSION"
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error
npm run -s check
npm run -s build
"$ROOT/scripts/notices.py" dist/meta.json >THIRD-PARTY-NOTICES.txt
npx vsce package --no-dependencies --target "$platform" --out saferun.vsix
