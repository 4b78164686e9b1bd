#!/usr/bin/env bash
# Builds all binaries into target/dist/bin. The supervisor and the command line are static: one has to
# run in any image, the other has to start fast.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
target=$(rustc -vV | sed -n 's/^host: //p')
out=${CARGO_TARGET_DIR:-target}
say "building"
cargo build --release --locked -p saferund -p saferun-lsp
RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target "$target" -p saferun-init -p saferunctl
mkdir -p "$DIST"
for binary in "$out/release/saferund" "$out/release/saferun-lsp" "$out/$target/release/saferun-init" "$out/$target/release/saferunctl"; do
  # A rename, so that a binary which is running is replaced and not written to.
  cp "$binary" "$DIST/.new" && mv "$DIST/.new" "$DIST/$(basename "$binary")"
done
# The stand-in for python3 is the command line under another name.
ln -sf saferunctl "$DIST/saferun-python"
