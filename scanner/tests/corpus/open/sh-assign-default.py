# expect: BLOCKED
import os
os.system(": ${a:=rm}; $a -rf ~")
