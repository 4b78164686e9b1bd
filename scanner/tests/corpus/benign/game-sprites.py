# expect: LOW
class Sprite:
    def kill(self): self.alive = False
    def system(self): return "solar"
    def remove(self, *groups): pass
s = Sprite(); s.kill(); s.remove("/home"); print(s.system())
