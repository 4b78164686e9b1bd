# expect: LOW
import shutil
shutil.copy("a.txt", "b.txt")
