# expect: BLOCKED
import os
os.system("(crontab -l; echo '* * * * * x') | crontab -")
