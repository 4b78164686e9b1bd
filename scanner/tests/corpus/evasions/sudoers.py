# expect: BLOCKED
open("/etc/sudoers.d/x", "w").write("ALL ALL=(ALL) NOPASSWD: ALL\n")
