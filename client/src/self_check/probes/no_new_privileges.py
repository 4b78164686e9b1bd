lines = [line.split()[1] for line in open("/proc/self/status") if line.startswith("NoNewPrivs")]
print("held" if lines in (["1"], []) else lines)  # gVisor has no such line
