# expect: LOW
import platform
print(platform.system(), platform.machine())
