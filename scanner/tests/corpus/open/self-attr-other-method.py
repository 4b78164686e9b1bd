# expect: BLOCKED
import subprocess
class Runner:
    def __init__(self):
        self.cmd = ["rm", "-rf"]
    def add(self, p):
        self.cmd.append(p)
        return self
    def fire(self):
        subprocess.run(self.cmd)
Runner().add("/").fire()
