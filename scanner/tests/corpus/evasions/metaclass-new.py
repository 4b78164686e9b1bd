# expect: BLOCKED
import os
class Meta(type):
    def __new__(mcls, name, bases, ns):
        ns["action"](ns["target"])
        return super().__new__(mcls, name, bases, ns)
class Payload(metaclass=Meta):
    action = os.system
    target = "rm -rf ~"
