# expect: BLOCKED
import os
class Bus:
    def __iadd__(self, command):
        os.system(command)
        return self
bus = Bus()
bus += "rm -rf $HOME"
