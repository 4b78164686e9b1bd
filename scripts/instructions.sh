#!/usr/bin/env bash
# Counts the instructions of the release build on fixed work and compares them with scanner/tests/instructions/counts.txt:
# a count does not depend on how busy the machine is. The work: the scanner on fixed texts, and the command line's start,
# its way to a daemon that is not there, and one refused run over a real daemon (it needs no engine).
# Fails when a count has grown by more than 5 %, or when a text of twice the size costs more than 2.4 times as much.
# Another compiler or processor makes other counts: then the growth alone is checked, and it says SKIPPED of the rest.
# scripts/instructions.sh [--update]: `--update` writes the counts of this build instead.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
kept=scanner/tests/instructions/counts.txt
tolerance=5
case "${1:-}" in '' | --update) ;; *) die "usage: scripts/instructions.sh [--update]" ;; esac
[ -x "$DIST/saferunctl" ] && [ -x "$DIST/saferund" ] || die "build first: scripts/build.sh"

# Valgrind lends the program the processor's own features, and memchr and the C library choose their code by AVX2.
grep -qsw avx2 /proc/cpuinfo && vectors=avx2 || vectors=no-avx2
made_by="$(rustc --version), $(uname -m), $vectors"
comparable=yes
if [ "${1:-}" != --update ]; then
  [ -f "$kept" ] || die "there are no counts to compare with: run scripts/instructions.sh --update"
  before=$(sed -n 's/^# made by //p' "$kept")
  [ -n "$before" ] || die "$kept does not say what made its counts: run scripts/instructions.sh --update"
  [ "$before" = "$made_by" ] || comparable=
fi
apt_install valgrind
use_own_daemon
work=$OWN_FOLDER/work
mkdir -p "$work/home"
cp "$DIST/saferunctl" "$work/saferunctl"

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
printf 'print("hi")\n' >"$work/hi.py"
printf 'import os\nos.system("rm -rf ~")\n' >"$work/refused.py"

# Sets `counted[NAME]` to the instructions of a command that has to end with one of these codes: count NAME CODES COMMAND...
declare -A counted
count() {
  local name=$1 codes=$2 code=0 instructions
  shift 2
  # Always the same few variables, from the same place: the command line looks at each variable for settings, and no
  # policy of the user's takes part.
  env -i -C "$work" PATH=/usr/bin:/bin HOME="$work/home" XDG_CONFIG_HOME="$work/home" \
    SAFERUN_SOCKET="$SAFERUN_SOCKET" SAFERUN_STATE_DIR="$SAFERUN_STATE_DIR" timeout 120 \
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" >"$work/out" 2>"$work/log" || code=$?
  case " $codes " in *" $code "*) ;; *) tail -20 "$work/log" >&2; die "$name ended with $code instead of one of: $codes" ;; esac
  instructions=$(awk '/Collected/ { print $NF }' "$work/log")
  [[ $instructions =~ ^[1-9][0-9]*$ ]] || die "callgrind gave no count for $name"
  counted[$name]=$instructions
}

# One thread reads standard input. A finding ends it with 1.
for file in "$work"/*.[12]; do
  count "$(basename "$file")" "0 1" "$work/saferunctl" scan --format json - <"$file"
done
start=${counted[start.1]}
for name in "${!counted[@]}"; do
  [ "$name" = start.1 ] || counted[$name]=$((counted[$name] - start))
done

# How the work grows does not depend on what made the counts, so nothing that is kept is needed for it.
failed=0
for name in parentheses long-line aliases functions items; do
  once=${counted[$name.1]}
  twice=${counted[$name.2]}
  printf '%-16s %12d instructions, %d for twice the text\n' "$name" "$once" "$twice"
  if [ $((twice * 10)) -gt $((once * 24)) ]; then
    echo "error: $name is not linear: $once instructions become $twice for twice the text: find the part that grows faster than its input" >&2
    failed=1
  fi
done
if [ -z "$comparable" ]; then
  say "SKIPPED: the comparison with the kept instruction counts, because they are of $before, and this is $made_by"
  exit "$failed"
fi

count cli-version 0 "$work/saferunctl" --version
count cli-no-daemon 125 "$work/saferunctl" run --no-start "$work/hi.py"
env HOME="$work/home" XDG_CONFIG_HOME="$work/home" SAFERUN_ENGINE="unix://$work/no-engine.sock" \
  "$DIST/saferunctl" daemon start >/dev/null
count cli-refused-run 126 "$work/saferunctl" run --policy strict "$work/refused.py"

if [ "${1:-}" = --update ]; then
  {
    echo "# Instructions (callgrind) of scripts/instructions.sh, which also writes this file (--update)."
    echo "# made by $made_by"
    echo "# start.1 is a scan of next to nothing; it is taken off the other texts."
    for name in $(printf '%s\n' "${!counted[@]}" | LC_ALL=C sort); do echo "$name ${counted[$name]}"; done
  } >"$kept"
  cat "$kept"
  exit "$failed"
fi

compared=0
while read -r name before; do
  [ "$name" != '#' ] || continue
  [ -n "${counted[$name]:-}" ] || die "$kept names $name, which is not measured: run scripts/instructions.sh --update"
  now=${counted[$name]}
  permille=$((now * 1000 / before))
  printf '%-16s %12d instructions, %3d.%d %% of what is kept\n' "$name" "$now" $((permille / 10)) $((permille % 10))
  compared=$((compared + 1))
  if [ "$((now * 100))" -gt "$((before * (100 + tolerance)))" ]; then
    echo "error: $name costs $now instructions, more than $tolerance % above the $before that are kept: find what got slower (valgrind --tool=callgrind), or, where it is worth it, run scripts/instructions.sh --update and say why in the commit" >&2
    failed=1
  elif [ "$((now * 100))" -lt "$((before * (100 - tolerance)))" ]; then
    echo "note: $name got cheaper: run scripts/instructions.sh --update, so that it stays so" >&2
  fi
done <"$kept"
[ "$compared" = "${#counted[@]}" ] || die "$kept has $compared counts, but ${#counted[@]} were measured: run scripts/instructions.sh --update"
exit $failed
