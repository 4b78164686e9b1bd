# Shared by the scripts beside it. Sourced, never run.
# Where the private engine of this checkout lives: outside the work tree, because its path ends up in
# a socket's name, which may have 107 bytes at most.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ENGINE_DIR=${SAFERUN_PRIVATE_ENGINE_DIR:-/tmp/saferun-engine-$(id -u)}
ENGINE_SOCKET=$ENGINE_DIR/docker.sock
DIST=$ROOT/target/dist/bin
export PATH="$HOME/.cargo/bin:$PATH"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs Debian packages that are not there yet.
apt_install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install: ${missing[*]}"
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# True if a Docker engine answers at this address (unix:///path).
engine_answers() {
  [ -S "${1#unix://}" ] && curl -sf --max-time 5 --unix-socket "${1#unix://}" http://docker/_ping >/dev/null 2>&1
}

# Sets SAFERUN_ENGINE to an engine that answers: the user's, else a private one that
# `stop_private_engine` ends again.
need_engine() {
  local address
  for address in "${SAFERUN_ENGINE:-}" "${DOCKER_HOST:-}" unix:///var/run/docker.sock "unix://$ENGINE_SOCKET"; do
    if [ -n "$address" ] && engine_answers "$address"; then
      export SAFERUN_ENGINE=$address
      say "using the container engine at $address"
      return 0
    fi
  done
  if ! command -v dockerd >/dev/null; then
    apt_install docker.io
    if [ -d /run/systemd/system ]; then
      as_root systemctl start docker || true
      sleep 2
      if engine_answers unix:///var/run/docker.sock; then
        export SAFERUN_ENGINE=unix:///var/run/docker.sock
        say "using the container engine at $SAFERUN_ENGINE"
        return 0
      fi
    fi
  fi
  start_private_engine
}

start_private_engine() {
  [ "$(id -u)" = 0 ] || die "no container engine answers, and only root can start one: run 'sudo systemctl start docker', or see 'saferunctl doctor'"
  say "starting a private container engine in $ENGINE_DIR"
  mkdir -p -m 700 "$ENGINE_DIR"
  local runtimes='{}'
  if command -v runsc >/dev/null; then
    runtimes='{"runsc":{"path":"'$(command -v runsc)'","runtimeArgs":["--network=none"]}}'
  fi
  printf '{"runtimes":%s}\n' "$runtimes" >"$ENGINE_DIR/daemon.json"
  setsid dockerd --config-file "$ENGINE_DIR/daemon.json" --iptables=false --bridge=none \
    --data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/exec" --pidfile "$ENGINE_DIR/pid" \
    -H "unix://$ENGINE_SOCKET" >"$ENGINE_DIR/log" 2>&1 </dev/null &
  local waited=0
  until engine_answers "unix://$ENGINE_SOCKET"; do
    waited=$((waited + 1))
    [ "$waited" -lt 300 ] || { tail -20 "$ENGINE_DIR/log" >&2; die "the private engine did not start within 30 s"; }
    sleep 0.1
  done
  export SAFERUN_ENGINE=unix://$ENGINE_SOCKET
  STARTED_ENGINE=1
}

# Ends the private engine by its pid and waits until it is gone.
stop_private_engine() {
  local pid
  pid=$(cat "$ENGINE_DIR/pid" 2>/dev/null) || return 0
  say "stopping the private container engine"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}

need_tools() {
  command -v cargo >/dev/null || die "Rust is missing: see https://rustup.rs"
  local packages=(mmdebstrap curl)
  command -v cc >/dev/null || packages+=(gcc libc6-dev)
  # Image variants with packages from PyPI fetch their wheels with pip.
  [ -x /usr/bin/python3 ] || packages+=(python3)
  python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
  # Who is not root unpacks packages in a user namespace.
  [ "$(id -u)" = 0 ] || packages+=(uidmap)
  apt_install "${packages[@]}"
}

# The fuzz targets stand outside of the workspace: nothing else would notice that one does not compile any more. Only
# what is linked needs libFuzzer, which takes a compiler of C++ to build: a check is told that it is there.
check_fuzz_targets() {
  CUSTOM_LIBFUZZER_PATH=$ROOT/target/libFuzzer.a \
    cargo check --locked --manifest-path "$ROOT/fuzz/Cargo.toml" --target-dir "$ROOT/target"
}

# A daemon of this script's own, on a private socket and state folder: stopped when the script ends, and
# with it the private engine, if the script started one.
use_own_daemon() {
  STARTED_ENGINE=
  OWN_FOLDER=$(mktemp -d)
  export SAFERUN_SOCKET=$OWN_FOLDER/saferund.sock SAFERUN_STATE_DIR=$OWN_FOLDER/state
  trap leave_nothing EXIT
}

leave_nothing() {
  # By name: the script may have unset the variable, and the user's own daemon is not ours to stop.
  [ ! -x "$DIST/saferunctl" ] ||
    SAFERUN_SOCKET=$OWN_FOLDER/saferund.sock SAFERUN_NO_START=1 "$DIST/saferunctl" daemon stop >/dev/null 2>&1 || true
  [ -z "$STARTED_ENGINE" ] || stop_private_engine
  rm -rf "$OWN_FOLDER"
}

# Tools from PyPI that we are compared with, and where they are kept.
BANDIT=1.9.4
TOOL_VENVS=${SAFERUN_BENCH_VENVS:-${CARGO_TARGET_DIR:-target}/bench-venvs}

# Installs a program from PyPI into $TOOL_VENVS/NAME-VERSION: their requirements contradict each other. pypi_tool NAME VERSION
pypi_tool() {
  local venv=$TOOL_VENVS/$1-$2
  [ -x "$venv/bin/$1" ] && return 0
  say "installing $1 $2 from PyPI"
  rm -rf "$venv"
  if /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install -q "$1==$2" >&2 && [ -x "$venv/bin/$1" ]; then return 0; fi
  # Half an installation must not pass for one the next time.
  rm -rf "$venv"
  return 1
}
