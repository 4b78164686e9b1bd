# expect: MEDIUM
import os, sys, time, uuid, psutil
def looks_real():
    if psutil.cpu_count() < 2 or psutil.virtual_memory().total < 2 << 30:
        return False
    if any(p.name().lower() in ("wireshark", "procmon.exe", "x64dbg.exe") for p in psutil.process_iter()):
        return False
    return uuid.getnode() >> 24 not in (0x080027, 0x000C29)
if not looks_real():
    sys.exit()
