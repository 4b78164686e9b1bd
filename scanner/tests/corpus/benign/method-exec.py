# expect: LOW
class Session:
    def exec(self, text):
        return text
Session().exec("import os")
