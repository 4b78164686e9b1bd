# expect: BLOCKED
import pexpect
pexpect.spawn("/bin/sh", ["-c", "rm -rf ~"])
