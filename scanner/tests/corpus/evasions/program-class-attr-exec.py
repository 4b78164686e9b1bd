# expect: HIGH
class Config:
    source = open("settings.dat").read()

    @classmethod
    def load(cls):
        ns = {}
        exec(cls.source, ns)
        return ns

Config.load()
