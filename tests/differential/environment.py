# env: {"API_KEY": "sëcret value", "EMPTY": "", "WITH": "a=b"}
import os, posix, subprocess
for name in ("API_KEY", "EMPTY", "WITH", "HOME", "LANG", "PATH", "PWD", "USER", "PYTHONPATH", "SAFERUN_HOLD", "PYTHONDONTWRITEBYTECODE"):
    print(name, os.environ.get(name), os.getenvb(name.encode()), posix.environ.get(name.encode()))
print(subprocess.run(["printenv", "API_KEY"], capture_output=True).stdout)
print([name for name in os.environ if "SAFERUN" in name or "HOLD" in name])
os.environ["NEW"] = "1"
del os.environ["WITH"]
print(subprocess.run(["sh", "-c", "echo $NEW $WITH"], capture_output=True).stdout)
