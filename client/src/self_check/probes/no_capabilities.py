held = {}
for line in open("/proc/self/status"):
    name, _, value = line.partition(":")
    if name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        held[name] = int(value, 16)
print("held" if "CapEff" in held and not any(held.values()) else held)
