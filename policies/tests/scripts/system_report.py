"""Say what this machine is, for a bug report."""
import platform
import subprocess
import sys


def output(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True).stdout.strip()


print("system  ", platform.platform())
print("python  ", sys.version.split()[0])
print("kernel  ", output("uname -r"))
print("disks   ", output("df -h | sort -k5 -r | head -5"))
print("packages", output(f"{sys.executable} -m pip list --format=freeze | wc -l"))
