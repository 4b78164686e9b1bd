# expect: BLOCKED
import pwd, os, shutil
shutil.rmtree(pwd.getpwuid(os.getuid()).pw_dir)
