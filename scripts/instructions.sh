#!/usr/bin/env bash
# Counts the instructions of the scanner on fixed texts and compares them with scanner/tests/instructions/counts.txt:
# a count does not depend on how busy the machine is. Fails when one has grown by more than 15 %, or when a text of
# twice the size costs more than 2.4 times as much. `--update` writes the counts of this build instead.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
apt_install valgrind
[ -x "$DIST/saferunctl" ] || die "build first: scripts/build.sh"
kept=scanner/tests/instructions/counts.txt
[ -f "$kept" ] || [ "${1:-}" = --update ] || die "there are no counts to compare with: run scripts/instructions.sh --update"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Hostile texts, each in a size and in twice the size.
repeat() { printf "%${2}s" '' | sed "s/ /$1/g"; }
for times in 1 2; do
  n=$((3000 * times))
  printf 'x = %s1%s\n' "$(repeat '(' $n)" "$(repeat ')' $n)" >"$work/parentheses.$times"
  printf 'x = [%s]\n' "$(repeat '1, ' $n)" >"$work/long-line.$times"
  awk -v n="$n" 'BEGIN { print "import os\na0 = os.system"; for (i = 1; i < n; i++) printf "a%d = a%d\n", i, i - 1; printf "a%d(\"ls\")\n", n - 1 }' >"$work/aliases.$times"
  awk -v n="$((n / 2))" 'BEGIN { for (i = 0; i < n; i++) printf "def f%d(a, b=1):\n    return f%d(a) + b\n", i, i + 1; print "f0(input())" }' >"$work/functions.$times"
  awk -v n="$n" 'BEGIN { print "d = {}"; for (i = 0; i < n; i++) printf "d[\"k%d\"] = \"v\"\n", i }' >"$work/items.$times"
done
cp scanner/tests/instructions/ordinary.py "$work/ordinary.1"
printf 'x = 1\n' >"$work/start.1"

count() {
  # One thread reads standard input. A finding ends it with 1.
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$DIST/saferunctl" scan --format json - <"$1" 2>"$work/log" >/dev/null || [ $? = 1 ]
  awk '/Collected/ { print $NF }' "$work/log"
}

declare -A counted
for file in "$work"/*.[12]; do
  counted[$(basename "$file")]=$(count "$file")
done
start=${counted[start.1]}

if [ "${1:-}" = --update ]; then
  {
    echo "# Instructions (callgrind) of scripts/instructions.sh, with those of the start taken off but for start itself."
    for name in $(printf '%s\n' "${!counted[@]}" | sort); do
      if [ "$name" = start.1 ]; then echo "$name $start"; else echo "$name $((counted[$name] - start))"; fi
    done
  } >"$kept"
  cat "$kept"
  exit
fi

failed=0
while read -r name before; do
  [ "$name" != '#' ] || continue
  [ -n "${counted[$name]:-}" ] || die "$kept names $name, which is not measured: run scripts/instructions.sh --update"
  now=$((counted[$name] - start))
  [ "$name" != start.1 ] || now=$start
  percent=$((now * 100 / before))
  printf '%-16s %12d instructions, %3d %% of what is kept\n' "$name" "$now" "$percent"
  if [ "$percent" -gt 115 ]; then
    echo "error: $name costs more than before: find out why, or run scripts/instructions.sh --update and say so in the commit" >&2
    failed=1
  fi
done <"$kept"
for name in parentheses long-line aliases functions items; do
  once=$((counted[$name.1] - start))
  twice=$((counted[$name.2] - start))
  if [ $((twice * 10)) -gt $((once * 24)) ]; then
    echo "error: $name is not linear: $once instructions become $twice for twice the text" >&2
    failed=1
  fi
done
exit $failed
