# expect: LOW
import string
class F(string.Formatter):
    def get_value(self, key, args, kwargs):
        return kwargs.get(key, "?") if isinstance(key, str) else args[key]
print(F().format("{a} {b}", a=1))
