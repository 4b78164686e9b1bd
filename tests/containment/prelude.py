"""What every attempt shares. An attempt is a function that tries one way out: it returns when the way
is open, and raises OSError (or Refused) when it is closed. `go(name)` runs one and prints one line."""
import ctypes, errno, os, signal, socket, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
ATTEMPTS = {}


class Refused(Exception):
    """The way is closed, said by something else than an errno."""


class Said(Exception):
    """What a child found, as `word` says it."""


def word(error):
    """One word for how an attempt ended, and why: only what refuses closes a way. Anything else is a mistake of the
    attempt itself, which shows nothing and must not pass for a way that is closed."""
    if isinstance(error, Said):
        return str(error)
    if isinstance(error, OSError):
        return "closed " + errno.errorcode.get(error.errno, str(error.errno or type(error).__name__))
    if isinstance(error, Refused):
        return "closed " + str(error)
    return " ".join(f"broken {type(error).__name__}: {error}".split())


def attempt(way, gvisor="closed"):
    """Registers an attempt. `way` is what it tries; `gvisor` is "open: WHY" where gVisor answers
    the call itself, harmlessly, inside its own kernel. Under runc every way must be closed."""

    def register(function):
        ATTEMPTS[function.__name__] = (way, gvisor, function)
        return function

    return register


def call(number, *arguments):
    """A raw system call (x86-64 numbers), or OSError."""
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *[
        ctypes.c_long(a) if isinstance(a, int) else a for a in arguments
    ])
    if got < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return got


def writable(path):
    """Opens for writing and writes nothing, so that the control harms nobody."""
    os.close(os.open(path, os.O_WRONLY))


def child(work):
    """Runs `work` in a child, so that what it changes is gone after it. Raises if it did, or was killed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = "open"
        try:
            work()
        except BaseException as error:
            said = word(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    said = os.read(reader, 1000).decode()
    os.close(reader)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise Refused(f"signal {-code}" if code < 0 else f"exit code {code}")
    # Nothing is said by a child that became another program.
    if said not in ("open", ""):
        raise Said(said)


def go(name):
    try:
        ATTEMPTS[name][2]()
        found = "open"
    except Exception as error:
        found = word(error)
    print("ATTEMPT", name, found, flush=True)


def go_all():
    """The control: each in a child of its own, with a deadline."""
    for name in ATTEMPTS:
        pid = os.fork()
        if pid == 0:
            signal.alarm(5)
            if CONTROL and name != "unshare_mount":
                call(272, 0x20000)
                libc.mount(None, b"/", None, 0x44000, None)
                for flags in (32, 32 | 4096):
                    libc.mount(None, b"/sys", None, flags, None)
                for folder in [b"", *map(os.fsencode, os.listdir("/sys/fs/cgroup"))]:
                    libc.mount(None, b"/sys/fs/cgroup/" + folder, None, 32 | 4096, None)
            go(name)
            os._exit(0)
        os.waitpid(pid, 0)


def add_outside_addresses():
    """For the control: gives its own loopback the addresses that the attempts look for, and a name server."""
    import fcntl
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for index, address in enumerate(("192.0.2.1", "169.254.169.254")):
            name = f"lo:{index + 1}".encode()
            request = struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(control, 0x8916, request)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("192.0.2.1", 53))
    if os.fork() == 0:
        signal.alarm(120)
        while True:
            query, asker = server.recvfrom(512)
            server.sendto(query[:2], asker)


def list_all():
    for name, (way, gvisor, _) in ATTEMPTS.items():
        print("\t".join((name, way, gvisor)))


