# --- namespaces and clone flags ---
OWN = "open: a namespace of gVisor's own kernel, without rights over anything of the host"
NAMESPACES = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000,
              "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}
for _name, _flag in NAMESPACES.items():
    def _try(flag=_flag):
        child(lambda: call(272, flag))
    _try.__name__ = "unshare_" + _name
    _open = _name in ("user", "mount", "cgroup", "time")
    attempt(f"unshare a {_name} namespace", OWN if _open else "closed")(_try)
    if _name in ("user", "mount", "pid", "net", "ipc", "uts"):
        def _clone(flag=_flag):
            pid = call(56, flag | signal.SIGCHLD, 0, 0, 0, 0)
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        _clone.__name__ = "clone_" + _name
        attempt(f"clone into a new {_name} namespace", OWN if _name in ("user", "mount") else "closed")(_clone)


def _setns(kind):
    descriptor = os.open("/proc/1/ns/" + kind, os.O_RDONLY)
    child(lambda: call(308, descriptor, 0))


@attempt("enter the mount namespace of PID 1")
def setns_mount(): _setns("mnt")


@attempt("enter the network namespace of PID 1")
def setns_net(): _setns("net")


# --- mounts and roots ---
def _mount(source, target, kind, flags=0):
    def work():
        if libc.mount(source, target, kind, flags, None):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    child(work)


@attempt("mount a tmpfs")
def mount_tmpfs(): _mount(b"none", b"/tmp", b"tmpfs")


@attempt("mount a proc")
def mount_proc(): _mount(b"proc", b"/tmp", b"proc")


@attempt("mount a sysfs")
def mount_sysfs(): _mount(b"sysfs", b"/tmp", b"sysfs")


@attempt("mount the devices")
def mount_devtmpfs(): _mount(b"dev", b"/tmp", b"devtmpfs")


@attempt("bind the root elsewhere")
def mount_bind(): _mount(b"/", b"/tmp", None, 4096)


@attempt("remount the root writable")
def remount_root_writable(): _mount(None, b"/", None, 32)


@attempt("unmount /proc")
def unmount_proc(): child(lambda: call(166, b"/proc", 2))


@attempt("open a file system context (fsopen)")
def fsopen_tmpfs(): call(430, b"tmpfs", 0)


@attempt("clone a mount tree (open_tree)")
def open_tree_clone(): call(428, -100, b"/", 1)


@attempt("change attributes of a mount (mount_setattr)")
def mount_setattr_private():
    data = struct.pack("QQQQ", 0, 0, 1 << 18, 0)
    child(lambda: call(442, -100, b"/", 0, data, 32))


@attempt("change the root (chroot)")
def chroot_proc(): child(lambda: os.chroot("/proc"))


@attempt("open a file by its handle (CVE-2014-shocker pattern)")
def open_by_handle():
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    for place in (b"/dev/shm", b"/tmp", b"/etc"):
        ctypes.memmove(handle, struct.pack("Ii", 128, 0), 8)
        try:
            call(303, -100, place, handle, ctypes.byref(mount), 0)
            descriptor = os.open(place, os.O_RDONLY)
            os.close(call(304, descriptor, handle, os.O_RDONLY))
            return
        except OSError as error:
            last = error
    raise last


# --- writes to the kernel's files ---
KERNEL_FILES = {
    "core_pattern": "/proc/sys/kernel/core_pattern", "sysrq_trigger": "/proc/sysrq-trigger",
    "modprobe_path": "/proc/sys/kernel/modprobe", "randomize_va_space": "/proc/sys/kernel/randomize_va_space",
    "ptrace_dump": "/proc/sys/fs/suid_dumpable", "panic_on_oom": "/proc/sys/vm/panic_on_oom",
    "overcommit": "/proc/sys/vm/overcommit_memory", "pid_max": "/proc/sys/kernel/pid_max",
    "file_max": "/proc/sys/fs/file-max", "shmmax": "/proc/sys/kernel/shmmax",
    "hostname": "/proc/sys/kernel/hostname", "kmsg": "/dev/kmsg",
    "root_file": "/etc/passwd", "loader_cache": "/etc/ld.so.cache",
}
for _name, _path in KERNEL_FILES.items():
    def _write(path=_path): writable(path)
    _write.__name__ = "write_" + _name
    attempt(f"open {_path} for writing")(_write)


@attempt("read the kernel's memory (/proc/kcore)")
def read_kcore():
    with open("/proc/kcore", "rb") as file:
        if not file.read(4): raise Refused("empty")


# --- control groups ---
def _cgroup(work):
    """Mounts a hierarchy in a child of its own, then does `work` in it."""
    def both():
        for kind, data in ((b"cgroup", b"pids"), (b"cgroup2", None)):
            if libc.mount(b"none", b"/tmp", kind, 0, data) == 0: break
        else:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        work()
    child(both)


@attempt("mount a control group hierarchy")
def cgroup_mount(): _cgroup(lambda: None)


@attempt("name a program for the host to start when a group empties (release_agent, CVE-2022-0492)")
def cgroup_release_agent(): _cgroup(lambda: writable("/tmp/release_agent"))


@attempt("raise the limits of its own control group")
def cgroup_limits():
    import glob
    found = glob.glob("/sys/fs/cgroup/pids/**/pids.max", recursive=True) + glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)
    if not found: raise Refused("nothing there")
    for path in found:
        try: writable(path); return
        except OSError as error: last = error
    raise last


@attempt("leave its control group")
def cgroup_leave():
    import glob
    found = sorted(glob.glob("/sys/fs/cgroup/*/tasks") + glob.glob("/sys/fs/cgroup/cgroup.procs"))
    if not found: raise Refused("nothing there")
    child(lambda: open(found[0], "w").write(str(os.getpid())))


# --- memory that others share ---
@attempt("make a System V segment", gvisor="open: a segment of gVisor's own kernel, which ends with the run")
def shm_segment(): call(31, call(29, 0, 4096, 0o1600), 0, 0)


@attempt("make a System V queue", gvisor="open: a queue of gVisor's own kernel, which ends with the run")
def ipc_queue(): call(71, call(68, 0, 0o1600), 0, 0)


@attempt("make System V semaphores", gvisor="open: semaphores of gVisor's own kernel, which end with the run")
def ipc_semaphores(): call(66, call(64, 0, 1, 0o1600), 0, 0, 0)


@attempt("open a POSIX message queue", gvisor="open: a queue of gVisor's own kernel, which ends with the run")
def posix_queue(): os.close(call(240, b"saferun", os.O_CREAT | os.O_RDWR, 0o600, 0))


@attempt("execute a file that has no path (memfd_create)", gvisor="open: inside gVisor, with the rights that the program has already")
def memfd_execute():
    descriptor = call(319, b"x", 0)
    os.write(descriptor, b"#!/usr/bin/python3\n")
    child(lambda: os.execv(f"/proc/self/fd/{descriptor}", ["x"]))


# --- devices ---
@attempt("make a block device", gvisor="open: a node in gVisor's own kernel, which has no such device")
def mknod_block():
    os.mknod("/tmp/block", 0o60600, os.makedev(8, 0))
    os.unlink("/tmp/block")


@attempt("make the device of the kernel's memory", gvisor="open: a node in gVisor's own kernel, which has no such device")
def mknod_mem():
    os.mknod("/tmp/mem", 0o20600, os.makedev(1, 1))
    os.unlink("/tmp/mem")


@attempt("open a loop device's control")
def loop_control(): os.close(os.open("/dev/loop-control", os.O_RDWR))


@attempt("open FUSE", gvisor="open: gVisor's own device, its mount stays closed")
def open_fuse(): os.close(os.open("/dev/fuse", os.O_RDWR))


# --- identity and capabilities ---
@attempt("become root")
def setuid_root(): child(lambda: os.setresuid(0, 0, 0))


@attempt("become group root")
def setgid_root(): child(lambda: os.setresgid(0, 0, 0))


@attempt("change the groups")
def setgroups_root(): child(lambda: os.setgroups([0]))


@attempt("give a file to root")
def chown_root():
    with open("/tmp/owned", "w"): pass
    try:
        os.chown("/tmp/owned", 0, 0)
        if os.getuid() != 0: return
        os.chown("/tmp/owned", 12345, 12345)
    finally: os.unlink("/tmp/owned")


@attempt("have any capability")
def hold_capability():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(("CapEff", "CapPrm", "CapBnd")) and int(line.split()[1], 16): return
    raise Refused("none")


@attempt("raise the priority", gvisor='open: a number that gVisor keeps and does not use')
def raise_priority(): child(lambda: os.setpriority(os.PRIO_PROCESS, 0, -10))


# --- kernel interfaces ---
@attempt("create a BPF map")
def bpf_map(): os.close(call(321, 0, struct.pack("IIIII", 2, 4, 4, 1, 0) + bytes(108), 128))


@attempt("open a performance event")
def perf_event():
    attributes = bytearray(112)
    struct.pack_into("IIQ", attributes, 0, 1, 112, 1)
    os.close(call(298, bytes(attributes), 0, -1, -1, 0))


@attempt("set up io_uring", gvisor="open: gVisor's own rings")
def io_uring():
    call(425, 4, ctypes.create_string_buffer(120))


@attempt("create a userfaultfd")
def userfaultfd(): os.close(call(323, 0))


@attempt("add a key to a keyring")
def add_key(): call(248, b"user", b"saferun", b"x", 1, -2)


@attempt("join a session keyring")
def keyctl_session(): call(250, 1, 0, 0, 0, 0)


@attempt("read the kernel's log", gvisor="open: gVisor's own log, made of fixed lines")
def syslog_size(): call(103, 10, 0, 0)


@attempt("adjust the clock")
def adjust_clock(): call(159, ctypes.create_string_buffer(struct.pack("Iiq", 0x8001, 0, 0), 208))


@attempt("set the host's name")
def set_hostname(): child(lambda: socket.sethostname(socket.gethostname()))


@attempt("turn swapping off")
def swapoff():
    try: call(168, b"/nonexistent")
    except OSError as error:
        if error.errno != errno.ENOENT: raise


@attempt("turn process accounting off")
def acct_off(): call(163, 0)


@attempt("change the local descriptor table")
def modify_ldt(): call(154, 0, ctypes.create_string_buffer(64), 64)


@attempt("splice user pages (vmsplice)")
def vmsplice():
    reader, writer = os.pipe()
    buffer = ctypes.create_string_buffer(b"x")
    vector = struct.pack("QQ", ctypes.addressof(buffer), 1)
    call(278, writer, vector, 1, 0)


@attempt("watch whole mounts (fanotify)")
def fanotify(): os.close(call(300, 0, 0))


@attempt("place its memory on nodes of the host (set_mempolicy)", gvisor='open: a setting that gVisor keeps and does not use')
def memory_policy(): call(238, 0, 0, 0)


# --- other processes ---
@attempt("trace a child", gvisor="open: between the program's own processes")
def ptrace_traceme(): child(lambda: call(101, 0, 0, 0, 0))


@attempt("attach to PID 1")
def ptrace_attach_init():
    def work():
        call(101, 0x4206, 1, 0, 0)
    child(work)


@attempt("read PID 1's memory")
def init_memory(): os.close(os.open("/proc/1/mem", os.O_RDONLY))


@attempt("list PID 1's descriptors")
def init_descriptors(): os.listdir("/proc/1/fd")


@attempt("read PID 1's environment")
def init_environment():
    with open("/proc/1/environ", "rb") as file: file.read()


@attempt("reach the root through PID 1")
def init_root(): os.stat("/proc/1/root/etc")


@attempt("follow PID 1's executable (CVE-2019-5736 pattern)")
def init_executable(): os.readlink("/proc/1/exe")


@attempt("read another process's memory (process_vm_readv)")
def process_vm_readv():
    buffer = ctypes.create_string_buffer(8)
    vector = struct.pack("QQ", ctypes.addressof(buffer), 8)
    call(310, os.getpid(), vector, 1, vector, 1, 0)


@attempt("take a descriptor of another process (pidfd_getfd)")
def pidfd_getfd(): os.close(call(438, call(434, os.getpid(), 0), 1, 0))


@attempt("compare kernel pointers (kcmp)")
def kcmp(): call(312, os.getpid(), os.getpid(), 0, 0, 0)


@attempt("open a descriptor of PID 1 for writing")
def init_descriptor_open():
    for number in (0, 1, 2): os.close(os.open(f"/proc/1/fd/{number}", os.O_WRONLY))


@attempt("reach PID 1's descriptors on a way round (its thread, a parent folder, a root)")
def init_descriptor_detour():
    ways = ("/proc/1/task/1/fd/1", "/proc/self/../1/fd/1", "/proc/self/root/proc/1/fd/1", "/proc/1/fdinfo/1",
            f"/proc/{os.getpid()}/task/{os.getpid()}/root/proc/1/fd/1", "/proc/self/cwd/../proc/1/fd/1")
    for way in ways:
        try: os.close(os.open(way, os.O_RDONLY)); return
        except OSError as error: last = error
    raise last


@attempt("change the limits of PID 1 (prlimit)", gvisor="open: a supervisor that fails for it ends its own sandbox, and the run says so")
def init_limits():
    limits = ctypes.create_string_buffer(16)
    call(302, 1, 7, 0, limits)
    call(302, 1, 7, limits, 0)


@attempt("uncover or move what stands at /proc/1")
def init_uncover():
    def work():
        if libc.umount2(b"/proc/1", 2) and libc.mount(b"none", b"/proc/1", b"tmpfs", 0, None):
            raise OSError(ctypes.get_errno(), "mount")
    child(work)


@attempt("open a device that it made", gvisor="open: gVisor's own zero device")
def device_open():
    os.mknod("/tmp/zero", 0o20666, os.makedev(1, 5))
    try: os.close(os.open("/tmp/zero", os.O_RDONLY))
    finally: os.unlink("/tmp/zero")


# --- network ---
@attempt("open a raw socket")
def raw_icmp(): socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


@attempt("open a packet socket")
def packet_socket(): socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


@attempt("open a netlink socket for audit")
def netlink_audit(): socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9).close()


@attempt("open a netlink socket for netfilter")
def netlink_netfilter(): socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12).close()


@attempt("open a vsock")
def vsock(): socket.socket(40, socket.SOCK_STREAM, 0).close()


@attempt("route to an address outside")
def route_outside(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))


@attempt("route to the metadata address")
def route_metadata(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("169.254.169.254", 80))


@attempt("have a name looked up (DNS)")
def dns_query():
    query = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\x07example\x03com\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(3)
        asking.sendto(query, ("192.0.2.1", 53))
        if asking.recv(512)[:2] != query[:2]: raise Refused("another answer")


@attempt("talk to the kernel's routing (netlink)", gvisor="open: gVisor's own network, which has no device but lo")
def netlink_route(): socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


@attempt("reach a listener on the host's loopback")
def host_loopback(): socket.create_connection(("127.0.0.1", HOST_PORT), 2).close()


@attempt("reach an abstract socket of the host")
def host_abstract():
    socket.socket(socket.AF_UNIX).connect("\0" + HOST_ABSTRACT)


# --- the image and leaked descriptors ---
@attempt("execute what was written to /tmp")
def execute_from_tmp():
    with open("/tmp/program", "w") as file: file.write("#!/usr/bin/python3\n")
    os.chmod("/tmp/program", 0o700)
    try: child(lambda: os.execv("/tmp/program", ["program"]))
    finally: os.unlink("/tmp/program")


@attempt("find a descriptor that leads outside (CVE-2024-21626 pattern)")
def leaked_descriptor():
    for number in range(3, 64):
        try:
            os.fstat(number)
            os.stat(f"/proc/self/fd/{number}/../../../../etc/hostname")
            return
        except OSError: pass
    if CONTROL: os.stat(f"/proc/self/fd/{os.open('/sys/fs', os.O_RDONLY)}/../../etc/hostname"); return
    raise Refused("none")
