# env: {"PYTHONHASHSEED": "42", "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error::UserWarning"}
import os, sys, warnings
print(hash("stable"), sys.flags, sys.warnoptions)
print(os.environ["PYTHONHASHSEED"], sys.stdout.write_through)
sys.stdout.write("unbuffered, seen before _exit\n")
try:
    warnings.warn("as an error")
except UserWarning as warning:
    print("raised", warning)
os._exit(3)
