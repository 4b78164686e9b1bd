# expect: BLOCKED
import tempfile
f = tempfile.NamedTemporaryFile("w", dir="/etc/cron.d", delete=False)
f.write("* * * * * root x\n")
