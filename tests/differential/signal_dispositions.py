import signal

for number in sorted(signal.valid_signals()):
    if number in (signal.SIGKILL, signal.SIGSTOP):
        continue
    print(int(number), signal.getsignal(number))
print("blocked", signal.pthread_sigmask(signal.SIG_BLOCK, []))
print("pending", signal.sigpending())
with open("/proc/self/status") as status:
    for line in status:
        if line.startswith(("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd", "Threads")):
            print(line.rstrip())
