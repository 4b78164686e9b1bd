import ctypes, errno, os, platform
libc = ctypes.CDLL(None, use_errno=True)
x86 = platform.machine() == "x86_64"
calls = {"bpf": 321 if x86 else 280, "io_uring_setup": 425, "userfaultfd": 323 if x86 else 282,
         "perf_event_open": 298 if x86 else 241, "init_module": 175 if x86 else 105}
# A complaint about the arguments would mean that the kernel had looked at them.
closed = (errno.EPERM, errno.ENOSYS, errno.ENODEV)
open_calls = [name for name, number in calls.items()
              if libc.syscall(number, 0, 0, 0, 0, 0) >= 0 or ctypes.get_errno() not in closed]
for path in ("/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/sda", "/dev/vda"):
    try:
        os.close(os.open(path, os.O_RDONLY))
        open_calls.append(path)
    except OSError:
        pass
print(open_calls or "held")
