# expect: HIGH
import subprocess
subprocess.run(["osascript", "-e", 'do shell script "rm -rf ~" with administrator privileges'])
