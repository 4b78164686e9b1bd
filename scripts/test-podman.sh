#!/usr/bin/env bash
# Runs the core of the tests over Podman's Docker-compatible socket, as root, with a service and a storage of its own
# that end with it. Arguments are test files to run instead.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
[ "$(id -u)" = 0 ] || { say "SKIPPED: the core over Podman, because only root starts one that holds limits"; exit 0; }
command -v podman >/dev/null || { say "SKIPPED: the core over Podman, because it is not installed"; exit 0; }
core=("$@")
[ ${#core[@]} -gt 0 ] || core=(outcomes output input hostile resources limits isolation containment recovery)
# What Podman 4.3 cannot show, by test:
unfit=(
  # Its API changes no running container, so a tighter limit gets a container of its own, and no warm one is tightened.
  a_warm_container_is_tightened_and_holds_the_tighter_limits
  # These compare with a container without hardening, which Docker's command line cannot start there: it is not told the
  # engine's system, and refuses devices. The hardened side alone is in podman.rs, as self-check.
  i1_no_way_out_is_open_in_either_tier_and_each_is_open_without_hardening
  i10_the_standard_library_imports_as_it_does_without_hardening
  # There it is the memory limit that ends a program that makes files without end, not the number of files.
  r5_inodes_a_sparse_file_and_shared_memory_are_bounded_like_bytes
)
skips=()
for name in "${unfit[@]}"; do
  # One that got another name would run, or be forgotten here.
  grep -rqw "fn $name" tests/tests || die "there is no test called $name any more"
  skips+=(--skip "$name")
done
folder=$(mktemp -d /tmp/saferun-podman-core-XXXXXX)
# Where the kernel lays one folder over another, no container copies the whole image.
driver=overlay
podman --root "$folder/probe" --runroot "$folder/probe-run" --storage-driver=overlay info >/dev/null 2>&1 || driver=vfs
# From its own folder: what watches a container leaves a file called `oom` where the service was started.
setpriv --pdeathsig KILL -- env --chdir="$folder" podman --cgroup-manager=cgroupfs --runtime=runc --events-backend=file \
  --storage-driver="$driver" --root "$folder/root" --runroot "$folder/run" \
  system service --time=0 "unix://$folder/podman.sock" >"$folder/log" 2>&1 </dev/null &
service=$!
leave() {
  local code=$?
  # A daemon outlives the command that started it.
  SAFERUN_SOCKET=$folder/s.sock SAFERUN_NO_START=1 "$DIST/saferunctl" daemon stop >/dev/null 2>&1 || true
  # The service by its pid; what it mounted below its own folder goes with it.
  kill "$service" 2>/dev/null || true
  wait "$service" 2>/dev/null || true
  for place in probe/vfs probe/overlay root/vfs root/overlay run; do umount --recursive "$folder/$place" 2>/dev/null || true; done
  [ "$code" = 0 ] || { say "the end of the service's log"; tail -40 "$folder/log" >&2 || true; }
  rm -rf --one-file-system "$folder"
}
trap leave EXIT
export SAFERUN_ENGINE=unix://$folder/podman.sock
# The first answers of a new storage are slower than the daemon waits for any.
answers_at_once() {
  curl -sf --max-time 2 --unix-socket "${SAFERUN_ENGINE#unix://}" http://docker/info >/dev/null 2>&1
}
deadline=$((SECONDS + 60))
until answers_at_once; do
  [ "$SECONDS" -lt "$deadline" ] || die "Podman's service does not answer within 2 s"
  sleep 0.1
done
say "building the sandbox image in Podman"
SAFERUN_SOCKET=$folder/s.sock SAFERUN_STATE_DIR=$folder/state "$DIST/saferunctl" image build python
SAFERUN_SOCKET=$folder/s.sock SAFERUN_STATE_DIR=$folder/state "$DIST/saferunctl" daemon stop
files=()
for file in "${core[@]}"; do files+=(--test "$file"); done
say "the core over Podman: ${core[*]}"
SAFERUN_TEST_BIN=$DIST SAFERUN_REQUIRE_ENGINE=1 cargo test -p saferun-tests --locked "${files[@]}" -- --test-threads=1 "${skips[@]}"
