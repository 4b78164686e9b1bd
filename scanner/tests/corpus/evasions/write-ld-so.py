# expect: BLOCKED
open("/etc/ld.so.preload", "w").write("/tmp/x.so")
