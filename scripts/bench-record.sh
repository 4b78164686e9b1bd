#!/usr/bin/env bash
# Measures the record at 100,000 runs and puts the table into docs/record.md. scripts/bench-record.sh [RUNS]
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
need_tools
cargo build --release --locked -p saferund --features measure --example record
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${CARGO_TARGET_DIR:-target}/release/examples/record" "$folder" "${1:-100000}" >"$folder/table"
python3 - docs/record.md "$folder/table" <<'PYTHON'
import pathlib, sys
page, table = (pathlib.Path(name) for name in sys.argv[1:])
text = page.read_text()
begin, end = "<!-- measured -->\n", "<!-- /measured -->"
head, rest = text.split(begin)
tail = rest.split(end)[1]
page.write_text(head + begin + table.read_text() + end + tail)
PYTHON
say "wrote the table of docs/record.md"
