#!/bin/bash
# What scripts/test-bare.sh has done on the bare machine, as its first process: each command's output and exit code land
# in /root/seen. When it ends, the kernel ends whatever is left of the machine.
set -u
cd /root
mkdir -p seen
see() {
  local name=$1
  shift
  # Both streams as a terminal would mix them.
  "$@" >"seen/$name" 2>&1 </dev/null
  printf 'exit code %s\n' "$?" >>"seen/$name"
}
printf 'print("hello from the sandbox")\n' >hello.py
see 1-doctor saferunctl doctor
see 2-doctor-fix saferunctl doctor --fix --yes
see 3-doctor saferunctl doctor
see 4-run saferunctl run hello.py
# Nothing is left to mend, and the daemon that runs by now says so.
see 5-doctor-fix saferunctl doctor --fix --yes
# The user's own settings stay within the new ones, and are kept beside them.
see 6-settings tail -n +1 /etc/docker/daemon.json /etc/docker/daemon.json.~1~
# Where no engine answers, one of nobody's settings tells whether any can start here.
if ! grep -q '^ok  *container engine' seen/3-doctor && command -v dockerd >/dev/null; then
  printf '{}\n' >probe.json
  dockerd --config-file probe.json --iptables=false --bridge=none --data-root /root/probe --exec-root /run/probe \
    --pidfile /run/probe.pid -H unix:///run/probe.sock >probe.log 2>&1 </dev/null &
  for _ in {1..60}; do
    if grep -q 'API listen on' probe.log || ! kill -0 $! 2>/dev/null; then break; fi
    sleep 1
  done
  grep -q 'API listen on' probe.log || tail -1 probe.log >no-engine
fi
saferunctl daemon logs -n 1000 >daemon.log 2>&1
saferunctl daemon stop >/dev/null 2>&1
service docker stop >/dev/null 2>&1
exit 0
