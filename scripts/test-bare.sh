#!/usr/bin/env bash
# From a bare machine: `doctor` names what is missing, `doctor --fix` mends it, `doctor` is green, a script runs. The
# machine is a fresh root of Debian's packages without an engine, in namespaces of its own; what each command says is
# compared with tests/bare. With --update, that is written instead.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
update=
[ "${1:-}" != --update ] || update=1
skip() { say "SKIPPED: the bare machine, because $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "only root makes one"
unshare --mount --pid --fork true 2>/dev/null || skip "namespaces may not be made here"
# What is said names packages and files as Debian has them.
grep -qx 'ID=debian' /etc/os-release || skip "this is no Debian"
apt_install mmdebstrap
# What the outputs say of gVisor is what they say where it is to be had.
apt-cache show runsc >/dev/null 2>&1 || skip "apt knows no package called runsc"
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
  [ ! -f "$file" ] || ! grep -Eq '^(deb |URIs:)' "$file" || sources+=("$file")
done
[ ${#sources[@]} -gt 0 ] || skip "apt has no sources of Debian"
folder=$(mktemp -d /tmp/saferun-bare-XXXXXX)
machine=$folder/root
# Its mounts and processes are the namespaces' own, and gone with them. Its control groups stand in the machine's tree:
# the engine removes a container's with the container.
trap 'rm -rf --one-file-system "$folder"' EXIT
say "making a bare machine in $machine"
timeout --foreground --kill-after=30 900 mmdebstrap --mode=root --variant=minbase --dpkgopt=force-unsafe-io "" "$machine" "${sources[@]}" >"$folder/log" 2>&1 </dev/null ||
  { tail -20 "$folder/log" >&2; die "the bare machine cannot be made"; }
# The sources under the names that an installed system has.
rm -f "$machine"/etc/apt/sources.list.d/0000*
for file in "${sources[@]}"; do install -D -m 644 "$file" "$machine$file"; done
cp -L /etc/resolv.conf /etc/hosts "$machine/etc/"
install -m 755 "$DIST"/{saferunctl,saferund,saferun-init} tests/bare/steps.sh "$machine/usr/local/bin/"
# A user's own settings, which have to stay: without them an engine inside another machine cannot make its network.
install -D -m 644 /dev/stdin "$machine/etc/docker/daemon.json" <<<'{"iptables": false, "bridge": "none"}'
# Debian's start script raises limits, which root may not do where it lacks that one capability.
(ulimit -n 1048576) 2>/dev/null || printf 'ulimit() { :; }\n' >"$machine/etc/default/docker"
say "doctor, doctor --fix, doctor, and a run there: some minutes"
# In the foreground, so that Ctrl-C reaches it; what does not heed that is killed after the 5 s.
timeout --foreground --kill-after=5 1200 unshare --mount --pid --fork --kill-child -- bash -euc '
  cd "$1"
  mount --bind . .
  cd "$1"
  mount -t proc proc proc
  mount --rbind /sys sys
  mount --rbind /dev dev
  mount -t tmpfs -o mode=755 run run
  # Not chroot: under one, runc cannot change the root of a container.
  pivot_root . mnt
  umount --lazy /mnt
  exec env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    bash /usr/local/bin/steps.sh
' bash "$machine" || die "the bare machine ended early"
[ ! -s "$machine/root/no-engine" ] || skip "no container engine starts in it: $(tail -1 "$machine/root/no-engine")"
# What differs from one machine and one day to another. The kernel's limits and the disk are the machine's own.
normal() {
  awk '
    / (limits of the kernel|disk space): / { sub(/^[a-z]+ +/, "--       "); sub(/: .*/, ": as the machine has it"); own = 1; print; next }
    own && /^ / { next }
    { own = 0; print }
  ' | sed -E \
    -e 's/version [0-9][^ ,]*/version VERSION/g' \
    -e 's/API [0-9.]+/API NUMBER/' \
    -e 's/cgroup version VERSION/cgroup version NUMBER/' \
    -e 's/pid [0-9]+/pid PID/' \
    -e 's/[0-9.]+ [KMGT]iB/SIZE/g' \
    -e 's/[0-9.]+ (ms|s)\b/TIME/g' \
    -e 's/sha256:[0-9a-f]+/sha256:DIGEST/g' \
    -e 's/[0-9]+ (packages|files)/COUNT \1/g'
}
different=
for seen in "$machine"/root/seen/*; do
  name=$(basename "$seen").txt
  if [ -n "$update" ]; then
    normal <"$seen" >"tests/bare/$name"
  elif ! normal <"$seen" | diff -u --label "tests/bare/$name" --label "seen" "tests/bare/$name" - >&2; then
    different=1
  fi
done
for green in 3-doctor 4-run; do
  tail -1 "$machine/root/seen/$green" | grep -qx 'exit code 0' || { tail -20 "$machine/root/daemon.log" >&2; die "the bare machine did not become green"; }
done
[ -z "$different" ] || die "the bare machine says something else than tests/bare does; if that is right: scripts/test-bare.sh --update"
say "the bare machine became green"
