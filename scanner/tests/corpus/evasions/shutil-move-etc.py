# expect: HIGH
import shutil
shutil.move("/etc", "/tmp/etc")
