# Attempts on interfaces of the kernel: administration of the host, mounts, identity, terminals, memory, network.
# Follows attempts.py, whose helpers it uses.

# --- calls that administer the host ---
def reaches(number, *arguments, refused=(errno.EPERM, errno.EACCES)):
    """Open if the kernel looks at the arguments at all: they are made so that it then refuses them."""
    try: call(number, *arguments)
    except OSError as error:
        if error.errno in (*refused, errno.ENOSYS): raise


@attempt("load a module into the kernel (init_module)")
def init_module(): reaches(175, b"\x7fELF", 4, b"")


@attempt("load a module from a file (finit_module)")
def finit_module():
    with open("/usr/bin/python3", "rb") as file: reaches(313, file.fileno(), b"", 0)


@attempt("remove a module from the kernel (delete_module)")
def delete_module(): reaches(176, b"saferun_no_such_module", 0x800)


@attempt("replace the running kernel (kexec_load)")
def kexec_load(): call(246, 0, 0, 0, 0)


@attempt("restart the machine (reboot)")
def reboot(): reaches(169, 0xfee1dead, 672274793, 0x0badf00d, 0)


@attempt("set the clock (settimeofday)")
def set_clock(): call(164, 0, 0)


@attempt("turn swapping on")
def swapon(): reaches(167, b"/nonexistent", 0)


@attempt("ask for disk quotas (quotactl)")
def quotactl(): reaches(179, 0x800001 << 8, 0, 0, 0)


@attempt("hang up the terminal of all (vhangup)")
def vhangup(): child(lambda: call(153))


@attempt("reach the processor's ports (iopl)")
def iopl(): child(lambda: call(172, 3))


@attempt("reach one of the processor's ports (ioperm)")
def ioperm(): child(lambda: call(173, 0x80, 1, 1))


@attempt("set the domain's name")
def set_domain(): child(lambda: reaches(171, b"(none)", 6))


# --- more ways to change what is mounted ---
@attempt("pivot to another root (pivot_root)")
def pivot_root():
    def work():
        if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None): raise OSError(ctypes.get_errno(), "mount")
        os.mkdir("/tmp/old")
        call(155, b"/tmp", b"/tmp/old")
    child(work)


@attempt("move a mount (move_mount)")
def move_mount():
    child(lambda: call(429, call(428, -100, b"/usr", 1), b"", -100, b"/tmp", 4))


@attempt("pick a mount to change (fspick)")
def fspick(): os.close(call(433, -100, b"/", 0))


@attempt("list all mounts (listmount)")
def listmount():
    request = struct.pack("=IIQQ", 24, 0, 0xffffffffffffffff, 0)
    call(458, request, ctypes.create_string_buffer(512), 64, 0)


def _mount_of(kind, way, source=b"none", data=None):
    def try_it():
        def work():
            if libc.mount(source, b"/tmp", kind, 0, data):
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
        child(work)
    try_it.__name__ = "mount_" + kind.decode()
    attempt(way)(try_it)


_mount_of(b"overlay", "mount one folder over another (CVE-2023-0386 pattern)", data=b"lowerdir=/usr:/etc")
_mount_of(b"debugfs", "mount the kernel's debugging files")
_mount_of(b"tracefs", "mount the kernel's tracing files")
_mount_of(b"securityfs", "mount the security modules' files")
_mount_of(b"bpf", "mount the BPF file system")
_mount_of(b"binfmt_misc", "have the host's kernel start files with a program of ours (binfmt_misc)")
_mount_of(b"mqueue", "mount the message queues")
_mount_of(b"devpts", "mount all terminals")
_mount_of(b"fusectl", "mount the control of FUSE")


def _put_over(path):
    def work():
        if libc.mount(b"/tmp", path, None, 4096, None):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    child(work)


@attempt("put a folder over its own attributes, for a runtime to write astray (CVE-2025-52881 pattern)")
def cover_attributes(): _put_over(b"/proc/self/attr")


@attempt("put a folder over the kernel's settings (CVE-2019-16884 pattern)")
def cover_settings(): _put_over(b"/proc/sys")


@attempt("leave a changed root by a folder that is still open (CVE-2024-21626 pattern)")
def chroot_leave():
    def work():
        outside = os.open("/", os.O_RDONLY)
        os.chroot("/tmp")
        os.fchdir(outside)
        os.stat("etc/passwd")
    child(work)


# --- identity, limits and attributes ---
@attempt("open files as root (setfsuid)")
def setfsuid_root():
    call(122, 0)
    if call(122, -1) != 0: raise Refused("unchanged")


@attempt("take capabilities (capset)")
def take_capabilities():
    head = struct.pack("Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(struct.pack("6I", 1 << 21, 1 << 21, 0, 0, 0, 0), 24)
    child(lambda: call(126, head, data))


@attempt("keep capabilities over a change of user (securebits)")
def keep_capabilities(): child(lambda: call(157, 28, 1 << 4, 0, 0, 0))


@attempt("move its own code and data about (PR_SET_MM)")
def set_memory_map():
    # Too short a map is refused only after the right to change it was looked at.
    child(lambda: reaches(157, 35, 6, 1, 0, 0))


@attempt("raise a hard limit (setrlimit)")
def raise_limit():
    import resource
    def work():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard + 1))
        except ValueError as error: raise OSError(errno.EPERM, str(error)) from None
    child(work)


@attempt("escape the end by lack of memory (oom_score_adj)", gvisor="open: a number that gVisor keeps and does not use")
def escape_oom():
    def work():
        with open("/proc/self/oom_score_adj", "w") as file: file.write("-1000")
    child(work)


@attempt("run before everybody else (SCHED_FIFO)")
def real_time(): child(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))


@attempt("use the disk before everybody else (ioprio_set)")
def real_time_disk(): child(lambda: call(251, 1, 0, 1 << 13))


@attempt("turn off the randomising of addresses (personality)")
def personality(): child(lambda: call(135, 0x40000))


@attempt("give a file capabilities (security.capability)")
def file_capability():
    _attribute("security.capability", struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0))


@attempt("mark a file as trusted (trusted.*)")
def trusted_attribute(): _attribute("trusted.saferun", b"x")


def _attribute(name, value):
    with open("/tmp/marked", "w"): pass
    try: os.setxattr("/tmp/marked", name, value)
    finally: os.unlink("/tmp/marked")


@attempt("make a file that nobody can remove (chattr)")
def immutable_file():
    import fcntl
    with open("/tmp/lasting", "w") as file:
        try:
            fcntl.ioctl(file, 0x40086602, struct.pack("l", 0x10))
            fcntl.ioctl(file, 0x40086602, struct.pack("l", 0))
        finally: os.unlink("/tmp/lasting")


@attempt("claim to be another process (SCM_CREDENTIALS)")
def forge_credentials():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, 2, struct.pack("iII", 1, 0, 0))])


# --- terminals and random numbers ---
def _terminal(work):
    import fcntl
    master, slave = os.openpty()
    def inside():
        os.setsid()
        fcntl.ioctl(slave, 0x540E, 0)
        work(slave, fcntl.ioctl)
    try: child(inside)
    finally: os.close(master); os.close(slave)


@attempt("type into a terminal (TIOCSTI)")
def type_into_terminal(): _terminal(lambda slave, ioctl: ioctl(slave, 0x5412, b"x"))


@attempt("change a terminal's line discipline (TIOCSETD)")
def line_discipline(): _terminal(lambda slave, ioctl: ioctl(slave, 0x5423, struct.pack("i", 0)))


@attempt("paste into a console (TIOCLINUX)")
def console_paste():
    import fcntl
    with open("/dev/tty0", "rb+", buffering=0) as console: fcntl.ioctl(console, 0x541C, b"\x06")


@attempt("starve the source of random numbers (RNDCLEARPOOL)")
def clear_random():
    import fcntl
    with open("/dev/urandom", "rb") as source: fcntl.ioctl(source, 0x5206)


@attempt("add chosen bytes to the source of random numbers (RNDADDENTROPY)")
def choose_random():
    import fcntl
    with open("/dev/urandom", "rb") as source: fcntl.ioctl(source, 0x40085203, struct.pack("ii4s", 0, 4, b"AAAA"))


@attempt("wake the machine by an alarm (CLOCK_BOOTTIME_ALARM)")
def wake_alarm(): call(222, 9, 0, ctypes.create_string_buffer(8))


# --- more kernel interfaces ---
@attempt("make a 32-bit call (int 0x80)")
def call_32_bit():
    import mmap
    code = b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3"  # push rbx; eax = getpid; int 0x80; pop; ret
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    def work():
        if ctypes.CFUNCTYPE(ctypes.c_int)(address)() != os.getpid(): raise OSError(errno.ENOSYS, "no such call")
    child(work)


@attempt("ask the kernel for a key (request_key)")
def request_key(): reaches(249, b"user", b"saferun", 0, -2)


@attempt("get the handle of a file (name_to_handle_at)")
def file_handle():
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    call(303, -100, b"/dev/shm", handle, ctypes.byref(ctypes.c_int()), 0)


@attempt("read and write without waiting (io_setup)", gvisor="open: gVisor's own, on its own files")
def io_setup(): call(206, 1, ctypes.create_string_buffer(8))


@attempt("hide memory from the kernel (memfd_secret)")
def memfd_secret(): os.close(call(447, 0))


@attempt("see which of the host's file pages are in memory (mincore)", gvisor="open: gVisor says that all are")
def mincore():
    import mmap
    with open("/usr/bin/python3", "rb") as file:
        page = mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    call(27, ctypes.addressof(ctypes.c_char.from_buffer(page)), 4096, ctypes.create_string_buffer(1))


@attempt("see which of the host's file pages are in memory (cachestat)")
def cachestat():
    with open("/usr/bin/python3", "rb") as file:
        call(451, file.fileno(), struct.pack("QQ", 0, 4096), ctypes.create_string_buffer(40), 0)


@attempt("write out what waits for any disk of the host (sync)", gvisor="open: of gVisor's own files")
def sync_host(): call(162)


@attempt("move its pages between memory nodes (move_pages)")
def move_pages(): call(279, 0, 0, 0, 0, 0, 0)


@attempt("get the handle of a process (pidfd_open)")
def pidfd_open(): os.close(call(434, os.getpid(), 0))


@attempt("advise the kernel on another process's memory (process_madvise)")
def process_madvise():
    page = ctypes.create_string_buffer(8192)
    start = (ctypes.addressof(page) + 4095) & ~4095
    call(440, call(434, os.getpid(), 0), struct.pack("QQ", start, 4096), 1, 20, 0)


@attempt("write another process's memory (process_vm_writev)")
def process_vm_writev():
    buffer = ctypes.create_string_buffer(8)
    vector = struct.pack("QQ", ctypes.addressof(buffer), 8)
    call(311, os.getpid(), vector, 1, vector, 1, 0)


# --- more network ---
FAMILIES = {"alg": 38, "xdp": 44, "key": 15, "bluetooth": 31, "can": 29, "tipc": 30, "rds": 21, "nfc": 39, "smc": 43}
for _name, _family in FAMILIES.items():
    def _open_family(family=_family):
        for kind in (socket.SOCK_SEQPACKET, socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_STREAM):
            try: socket.socket(family, kind, 2 if family == 15 else 0).close(); return
            except OSError as error: last = error
        raise last
    _open_family.__name__ = "socket_" + _name
    attempt(f"open a socket of the family {_name.upper()}")(_open_family)
OWN_EVENTS = "open: of gVisor's own kernel, which has no devices that come and go"
for _name, _number in {"xfrm": 6, "kobject": 15, "generic": 16, "diag": 4, "connector": 11}.items():
    def _netlink(number=_number): socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, number).close()
    _netlink.__name__ = "netlink_" + _name
    attempt(f"open a netlink socket ({_name})", OWN_EVENTS if _name == "kobject" else "closed")(_netlink)


@attempt("open a raw socket (IPv6)")
def raw_icmp6(): socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58).close()


@attempt("write whole IP packets (IPPROTO_RAW)")
def raw_ip(): socket.socket(socket.AF_INET, socket.SOCK_RAW, 255).close()


@attempt("change a network interface")
def change_interface():
    import fcntl
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        state = fcntl.ioctl(control, 0x8913, struct.pack("16sh14x", b"lo", 0))
        fcntl.ioctl(control, 0x8914, state)


@attempt("mark its packets past the host's rules (SO_MARK)", gvisor="open: a number that gVisor keeps and does not use")
def mark_packets(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).setsockopt(socket.SOL_SOCKET, 36, 1)


@attempt("make packets look like another address's (IP_TRANSPARENT)", gvisor="open: in gVisor's own network, which has no device but lo")
def transparent_address(): socket.socket(socket.AF_INET, socket.SOCK_STREAM).setsockopt(0, 19, 1)
