# Attempts to reach what is masked, what lies about in the image, and the host's own programs and devices.
# Follows attempts.py, whose helpers it uses.

# --- what is masked, and what stands over it ---
def _kernel_says(path, size=1):
    """What a masked file would say: it is empty where the null device stands over it."""
    with open(path, "rb") as file:
        if not file.read(size): raise Refused("empty")


for _name, _path in {"keys": "/proc/keys", "timer_list": "/proc/timer_list", "latency_stats": "/proc/latency_stats",
                     "interrupts": "/proc/interrupts", "sched_debug": "/proc/sched_debug"}.items():
    def _read_masked(path=_path): _kernel_says(path)
    _read_masked.__name__ = "read_" + _name
    attempt(f"read {_path}")(_read_masked)


@attempt("find that a masked path is not the null device (CVE-2025-31133 pattern)")
def mask_replaced():
    for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug"):
        try: seen = os.stat(path)
        except FileNotFoundError: continue
        if seen.st_rdev != os.makedev(1, 3): return
    raise Refused("all are")


@attempt("find a console that the runtime put there (CVE-2025-52565 pattern)")
def console_device():
    if CONTROL: os.mknod("/tmp/console", 0o20600, os.makedev(5, 1))
    os.close(os.open("/tmp/console" if CONTROL else "/dev/console", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))


@attempt("read the processor's use of energy (CVE-2020-8694)")
def read_energy(): os.listdir("/sys/devices/virtual/powercap") or os.listdir("/nonexistent")


@attempt("read the firmware's tables")
def read_firmware():
    if not os.listdir("/sys/firmware"): raise Refused("empty")


@attempt("read where the kernel lies in memory (kallsyms)")
def read_kallsyms():
    with open("/proc/kallsyms") as file:
        if not any(int(line.split()[0], 16) for line, _ in zip(file, range(64))): raise Refused("all zero")


@attempt("read where devices lie in memory (iomem)")
def read_iomem():
    with open("/proc/iomem") as file:
        if not any(int(line.split("-")[1].split()[0], 16) for line, _ in zip(file, range(64))): raise Refused("all zero")


for _name, _path in {"uevent_helper": "/sys/kernel/uevent_helper", "power_state": "/sys/power/state",
                     "huge_pages": "/sys/kernel/mm/transparent_hugepage/enabled", "ksm": "/sys/kernel/mm/ksm/run",
                     "irq_affinity": "/proc/irq/default_smp_affinity", "fs_protected": "/proc/sys/fs/protected_symlinks",
                     "userns_max": "/proc/sys/user/max_user_namespaces", "net_forward": "/proc/sys/net/ipv4/ip_forward",
                     "binfmt_register": "/proc/sys/fs/binfmt_misc/register", "scsi": "/proc/scsi/scsi",
                     "perf_paranoid": "/proc/sys/kernel/perf_event_paranoid", "kptr": "/proc/sys/kernel/kptr_restrict",
                     "drop_caches": "/proc/sys/vm/drop_caches", "mtrr": "/proc/mtrr"}.items():
    def _write_kernel(path=_path): writable(path)
    _write_kernel.__name__ = "write_" + _name
    attempt(f"open {_path} for writing")(_write_kernel)


# --- devices by their numbers ---
def _by_number(kind, major, minor, name, flags=os.O_RDWR):
    path = "/tmp/" + name
    os.mknod(path, kind | 0o600, os.makedev(major, minor))
    try: os.close(os.open(path, flags | os.O_NONBLOCK))
    finally: os.unlink(path)


@attempt("open the host's disk by its number")
def host_disk():
    with open("/proc/partitions") as file:
        disks = [line.split() for line in file.read().splitlines()[2:]]
    if not disks: raise Refused("none is known")
    major, minor = disks[0][:2]
    _by_number(0o60000, int(major), int(minor), "disk", os.O_RDONLY)


@attempt("open the virtual machine monitor (KVM)")
def open_kvm(): _by_number(0o20000, 10, 232, "kvm")


@attempt("open the device that makes network interfaces (TUN)", gvisor="open: gVisor's own device; to make one takes a right that nobody has")
def open_tun(): _by_number(0o20000, 10, 200, "tun")


@attempt("write to the kernel's log by its number")
def open_kmsg(): _by_number(0o20000, 1, 11, "kmsg")


# --- ways round noexec and nosuid ---
def _copy(target):
    import shutil
    shutil.copyfile("/usr/bin/python3", target)
    os.chmod(target, 0o755)
    return target


@attempt("have the loader start a program from /tmp (ld.so)", gvisor="open: inside gVisor, with the rights that the program has already")
def loader_trick():
    import glob
    program = _copy("/tmp/interpreter")
    def work():
        if os.spawnv(os.P_WAIT, glob.glob("/lib*/ld-linux*.so*")[0], ["ld", program, "-c", ""]): raise OSError(errno.EACCES, "not started")
    try: child(work)
    finally: os.unlink(program)


@attempt("map a file from /tmp as code (mmap)", gvisor="open: inside gVisor, with the rights that the program has already")
def map_as_code():
    import mmap
    with open("/tmp/code", "w+b") as file:
        file.write(bytes(4096)); file.flush()
        try: mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)
        finally: os.unlink("/tmp/code")


for _folder in ("/dev/shm", "/workspace", "/out", "/home/sandbox"):
    def _execute_from(folder=_folder):
        if CONTROL: os.makedirs(folder, exist_ok=True); child_mount(folder)
        path = folder + "/program"
        with open(path, "w") as file: file.write("#!/usr/bin/python3\n")
        os.chmod(path, 0o700)
        try: child(lambda: os.execv(path, ["program"]))
        finally: os.unlink(path)
    _execute_from.__name__ = "execute_from" + _folder.replace("/", "_")
    attempt(f"execute what was written to {_folder}")(_execute_from)


def child_mount(folder):
    """For the control: something that can be executed from, whatever the engine put there."""
    if libc.mount(b"none", folder.encode(), b"tmpfs", 0, None): raise OSError(ctypes.get_errno(), "mount")


@attempt("execute by a descriptor (execveat)")
def execute_descriptor():
    with open("/tmp/program", "w") as file: file.write("#!/usr/bin/python3\n")
    os.chmod("/tmp/program", 0o700)
    descriptor = os.open("/tmp/program", os.O_PATH)
    os.set_inheritable(descriptor, True)
    try: child(lambda: call(322, descriptor, b"", 0, 0, 0x1000))
    finally: os.unlink("/tmp/program")


# --- what lies about in the image ---
def _files(top="/", skip=("/proc", "/sys")):
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in skip]
        for name in files: yield os.path.join(folder, name)


def _find(wanted, plant):
    """Looks at every file. The control plants one, to show that it would be found."""
    if CONTROL: plant()
    for path in _files():
        try:
            if wanted(path, os.lstat(path)): return
        except OSError: pass
    raise Refused("none")


@attempt("find a program that runs as somebody else (set-uid, set-gid)")
def find_set_uid():
    import stat
    def plant():
        with open("/tmp/planted", "w"): pass
        os.chmod("/tmp/planted", 0o4755)
    _find(lambda path, seen: stat.S_ISREG(seen.st_mode) and seen.st_mode & 0o6000, plant)


@attempt("find a program with capabilities of its own")
def find_file_capability():
    def plant():
        with open("/tmp/planted", "w"): pass
        os.setxattr("/tmp/planted", "security.capability", struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0))
    _find(lambda path, seen: "security.capability" in os.listxattr(path, follow_symlinks=False), plant)


@attempt("find a socket of the engine, or of anybody else")
def find_socket():
    import stat
    _find(lambda path, seen: stat.S_ISSOCK(seen.st_mode), lambda: socket.socket(socket.AF_UNIX).bind("/tmp/planted.sock"))


@attempt("find a file of the image that it may write")
def find_writable():
    own = ("/tmp/", "/workspace/", "/out/", "/home/sandbox/", "/dev/")
    def wanted(path, seen):
        return not path.startswith(own) and os.path.isfile(path) and os.access(path, os.W_OK)
    _find(wanted, lambda: None)


# --- the host and its other programs ---
@attempt("see a process of the host")
def host_process():
    import glob
    for path in glob.glob("/proc/[0-9]*/comm"):
        with open(path) as file:
            if file.read().strip() == HOST_PROCESS: return
    raise Refused("none")


@attempt("reach the host's shared memory")
def host_shared_memory(): os.stat("/dev/shm/" + HOST_FILE)
