# expect: BLOCKED
open("/etc/systemd/system/x.service", "w").write("[Service]")
