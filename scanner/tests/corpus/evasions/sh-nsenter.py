# expect: HIGH
import os
os.system("nsenter -t 1 -m -u -i -n sh")
