# expect: BLOCKED
import os, shutil
shutil.copy("x.exe", os.path.join(os.environ["APPDATA"], r"Microsoft\Windows\Start Menu\Programs\Startup"))
