# expect: BLOCKED
import shutil
shutil.copy("job", "/etc/cron.d")
