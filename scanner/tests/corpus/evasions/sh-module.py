# expect: BLOCKED
import sh
sh.rm("-rf", "/home")
