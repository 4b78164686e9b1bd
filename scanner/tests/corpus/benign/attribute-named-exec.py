# expect: LOW
class Cursor:
    def execute(self, q): return q
c = Cursor()
c.execute("SELECT 1")
