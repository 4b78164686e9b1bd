# expect: MEDIUM
import sh
print(sh.git("status", "--short"))
