"""Holds a starting interpreter until there is a script, then leaves no trace of itself.

PID 1 starts `python3 /workspace/xxx...`. CPython imports this module as the last step of its own
`site`, just before it would open the script. Here it waits. When the request comes, the
placeholder in the interpreter's C configuration is overwritten with the script's real path, and
CPython goes on by itself: what runs the script is the unchanged interpreter, not a runner.

Ends in an ImportError for its own name, which `site` takes for "there is no usercustomize": the
same as in an interpreter that was never held. Imports nothing that `site` has not imported.
"""


def _keep_figures(sys, getpid):
    """Saves the figures that are open at the end, before matplotlib itself closes them."""
    import threading

    owner = getpid()

    def save():
        helpers = sys.modules.get("matplotlib._pylab_helpers")
        if helpers is None or getpid() != owner:
            return
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for manager in helpers.Gcf.get_all_fig_managers()[:64]:
                try:
                    manager.canvas.figure.savefig("/out/figure-%d.png" % manager.num)
                except Exception:
                    # What cannot be drawn is missing among the files; the script's end stays its own.
                    pass

    threading._register_atexit(save)


def _trace(sys, posix, answers, order):
    """Lets the kernel ask PID 1 about some system calls from here on. Exactly one thread exists."""
    before = set(sys.modules)
    importers = set(sys.path_importer_cache)
    import ctypes
    import _socket

    import _thread

    number, _, program = order.decode("ascii").partition(":")
    program = bytes.fromhex(program)
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a 16-bit number of instructions, and their address.
    order = (ctypes.c_uint64 * 2)(len(program) // 8, ctypes.addressof(code))
    call = ctypes.CDLL(None).syscall
    channel = _socket.socket(fileno=answers)
    installed, handed_over = _thread.allocate_lock(), _thread.allocate_lock()
    installed.acquire()
    handed_over.acquire()
    listener = -1
    told = False

    def hand_over():
        # The filter binds the thread that installs it. This one is free of it: a filtered sendmsg would wait for PID 1,
        # which waits for the listener.
        nonlocal told
        try:
            installed.acquire()
            if listener >= 0:
                rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, listener.to_bytes(4, sys.byteorder))]
                channel.sendmsg([b"T"], rights)
            else:
                channel.send(b"N")
            told = True
        except OSError:
            pass
        finally:
            # Whatever comes, else the script would wait for ever.
            handed_over.release()

    _thread.start_new_thread(hand_over, ())
    # SECCOMP_SET_MODE_FILTER; NEW_LISTENER, with WAIT_KILLABLE_RECV where the kernel has it (5.19).
    for flags in (8 | 32, 8):
        listener = call(int(number), 1, flags, order)
        if listener >= 0:
            break
    installed.release()
    handed_over.acquire()
    if not told:
        # Nobody would answer the calls that wait for an answer. PID 1 starts a fresh interpreter.
        posix._exit(1)
    if listener >= 0:
        posix.close(listener)
    # No thread without the filter may be there when the script begins.
    while len(posix.listdir("/proc/self/task")) > 1:
        posix.sched_yield()
    channel.detach()
    for key in set(sys.modules) - before:
        del sys.modules[key]
    for key in set(sys.path_importer_cache) - importers:
        sys.path_importer_cache.pop(key, None)


def _tell(sys, posix, answers, folder):
    """Says what the script is about to do, and on which line. The script can forge or stop it."""
    import _thread

    posix.set_inheritable(answers, False)
    posix.set_blocking(answers, False)
    stat, write, frame_of, thread = posix.fstat, posix.write, sys._getframe, _thread.get_native_id
    same = stat(answers).st_ino
    wanted = frozenset(
        "open os.mkdir os.chmod os.chown os.utime os.setxattr os.removexattr os.kill os.link os.symlink os.truncate os.remove os.rmdir os.rename "
        "shutil.rmtree subprocess.Popen os.system os.exec os.posix_spawn os.fork os.forkpty "
        "socket.connect socket.bind socket.sendto socket.getaddrinfo socket.gethostbyname "
        "socket.sendmsg socket.__new__ ctypes.dlsym".split()
    )

    def plain(value):
        # Only what cannot run code of the script's.
        if type(value) is str:
            return value
        if type(value) is bytes:
            return value.decode("utf-8", "replace")
        if type(value) is int:
            return str(value)
        if type(value) in (tuple, list):
            return " ".join([plain(item) for item in value[:16]])
        return ""

    def hook(event, args):
        if event not in wanted:
            return
        try:
            frame = frame_of(1)
            while frame is not None and not frame.f_code.co_filename.startswith(folder):
                frame = frame.f_back
            line, name = 0, ""
            if frame is not None:
                line, name = frame.f_lineno, frame.f_code.co_filename[len(folder) :]
            if event == "open":
                path, mode, flags = args
                changes = flags & 3 or type(mode) is str and any(c in mode for c in "wax+")
                detail = plain(path) if changes else "r:" + plain(path)
            elif event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
                address = args[1]
                detail = ":".join([plain(part) for part in address[:2]]) if type(address) is tuple else plain(address)
            elif event == "subprocess.Popen":
                detail = plain(args[1]) or plain(args[0])
            elif event == "socket.__new__":
                detail = plain(args[1]) + " " + plain(args[2])
            elif event == "ctypes.dlsym":
                detail = plain(args[1])
            elif event == "os.rename":
                detail = plain(args[0]) + " to " + plain(args[1])
            else:
                detail = plain(args[0]) if args else ""
            text = "H%d\0%d\0%s\0%s\0%s" % (thread(), line, name[:200], event, detail[:500])
            if stat(answers).st_ino == same:
                write(answers, text.encode("utf-8", "replace"))
        except Exception:
            # A full channel, a closed one: the script goes on as if nobody listened.
            pass

    sys.addaudithook(hook)


def _hold():
    import sys
    import posix
    import os

    setting = posix.environ[b"SAFERUN_HOLD"]
    requests, answers = (int(number) for number in setting.split(b","))
    placeholder = sys.orig_argv[1]
    path_entry = os.environ["PYTHONPATH"]

    def wide(text):
        """The text as C wide characters. By hand: a codec would stay imported and cached."""
        return b"".join(ord(character).to_bytes(4, sys.byteorder) for character in text)

    def heap():
        """Start and size of the C library's heap in this process."""
        with open("/proc/self/maps", "rb", buffering=1 << 16) as maps:
            for line in maps.read().splitlines():
                if line.endswith(b"[heap]"):
                    start, _, end = line.split(None, 1)[0].partition(b"-")
                    return int(start, 16), min(int(end, 16) - int(start, 16), 64 << 20)
        return 0, 0

    def find(needle):
        """Addresses on the heap that hold the needle, apart from the needle itself: CPython keeps its configuration there."""
        start, size = heap()
        own = range(id(needle), id(needle) + sys.getsizeof(needle))
        data = posix.pread(memory, size, start)
        found = []
        at = data.find(needle)
        while at >= 0:
            if start + at not in own:
                found.append(start + at)
            at = data.find(needle, at + 1)
        return found

    def stack_areas():
        """Where the kernel keeps the initial arguments and environment of this process."""
        with open("/proc/self/stat", "rb", buffering=1 << 12) as stat:
            fields = stat.read().rpartition(b")")[2].split()
        arg_start, arg_end, env_start, env_end = (int(field) for field in fields[45:49])
        return (arg_start, arg_end - arg_start), (env_start, env_end - env_start)

    shown_before = set(sys.modules)
    try:
        with open(path_entry + "/preimport", "rb", buffering=1 << 12) as listed:
            wanted = listed.read().decode("ascii").split()
    except FileNotFoundError:
        wanted = []
    if wanted:
        # What a package says at its import is no output of a script that may never ask for it.
        kept = [posix.dup(number) for number in (1, 2)]
        silence = posix.open("/dev/null", posix.O_WRONLY | posix.O_CLOEXEC)
        for number in (1, 2):
            posix.dup2(silence, number)
        posix.close(silence)
        for name in wanted:
            __import__(name)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, original in zip((1, 2), kept):
            posix.dup2(original, number)
            posix.close(original)

        import time

        # A helper thread that is ending may still be seen for a moment.
        for _ in range(200):
            if len(posix.listdir("/proc/self/task")) == 1:
                break
            time.sleep(0.01)
        else:
            # It could not be forked safely, nor filtered as a whole.
            posix._exit(1)
    # A file of the script's own may have one of these names: then nothing may be imported yet.
    taken = {name.partition(".")[0] for name in set(sys.modules) - shown_before}

    ctypes = None
    modules_before = set(sys.modules)
    importers_before = set(sys.path_importer_cache)
    try:
        memory = posix.open("/proc/self/mem", posix.O_RDWR | posix.O_CLOEXEC)
    except PermissionError:
        # gVisor shows the memory but does not let it be written this way.
        memory = posix.open("/proc/self/mem", posix.O_RDONLY | posix.O_CLOEXEC)
        import ctypes
    import gc

    def write(address, data):
        if ctypes is None:
            posix.pwrite(memory, data, address)
        else:
            ctypes.memmove(address, data, len(data))

    def blank_environment(start, room):
        """Takes our two variables out of what /proc/self/environ shows."""
        block = posix.pread(memory, room, start)
        for name in (b"PYTHONPATH=", b"SAFERUN_HOLD="):
            at = block.find(b"\0" + name) + 1 or (0 if block.startswith(name) else -1)
            if at >= 0:
                write(start + at, bytes(block.find(b"\0", at) - at))

    def read_exactly(count):
        data = b""
        while len(data) < count:
            piece = posix.read(requests, count - len(data))
            if not piece:
                posix._exit(0)
            data += piece
        return data

    needle = wide(placeholder + "\0")
    spots = find(needle)
    if len(spots) < 2:
        posix._exit(1)

    # All that can be undone before there is a request is undone now.
    for key in ("PYTHONPATH", "SAFERUN_HOLD"):
        del os.environ[key]
    sys.path.remove(path_entry)
    for key in set(sys.path_importer_cache) - importers_before | {path_entry}:
        sys.path_importer_cache.pop(key, None)
    for key in set(sys.modules) - modules_before:
        del sys.modules[key]
    arguments_room = 0
    try:
        (arguments_at, arguments_room), environment = stack_areas()
        blank_environment(*environment)
    except (OSError, ValueError, IndexError):
        # Only what `ps` shows, and some kernels do not tell where it is.
        pass
    gc.collect()
    # Nothing of the start is garbage: spare the final collections from walking it.
    gc.freeze()
    # The script's module must be no frozen object: its globals are garbage like any other's when
    # the interpreter ends, and their finalizers run then.
    old = sys.modules["__main__"]
    new = type(sys)("__main__")
    new.__dict__.update(old.__dict__, __annotations__={})
    sys.modules["__main__"] = new
    # Brings the compiler's code into memory.
    compile("def f(x=1):\n    return [x for _ in (f'{x}',)]\nclass C(object): pass\n", "", "exec")
    version = "%d.%d.%d" % sys.version_info[:3]
    posix.write(answers, b"R %s\n" % version.encode())

    fields = read_exactly(int.from_bytes(read_exactly(4), "little")).split(b"\0")
    script = os.fsdecode(fields[0])
    options = fields[1].split()
    count = int(fields[2])
    arguments = [script, *map(os.fsdecode, fields[3 : 3 + count])]

    folder = (placeholder.rpartition("/")[0] + "/" + script).rpartition("/")[0]
    if taken and any(name.partition(".")[0] in taken for name in posix.listdir(folder)):
        posix.write(answers, b"C")
        posix._exit(1)

    real = wide(placeholder.rpartition("/")[0] + "/" + script + "\0")
    # Look again just before writing: memory that was freed meanwhile is somebody else's now.
    spots = [spot for spot in spots if posix.pread(memory, len(needle), spot) == needle]
    if len(spots) < 2 or len(real) > len(needle):
        posix.write(answers, b"C")
        posix._exit(1)
    for spot in spots:
        write(spot, real)

    sys.argv[:] = arguments
    sys.orig_argv[1:] = arguments
    for field in fields[3 + count : -1]:
        key, _, value = field.partition(b"=")
        os.environb[key] = value
    if 0 < arguments_room < 1 << 17:
        shown = b"\0".join((os.fsencode(sys.orig_argv[0]), fields[0], *fields[3 : 3 + count]))
        write(arguments_at, shown[: arguments_room - 1].ljust(arguments_room, b"\0"))
    if b"figures" in options:
        _keep_figures(sys, posix.getpid)
    posix.close(memory)
    posix.close(requests)
    for option in options:
        if option.startswith(b"trace="):
            _trace(sys, posix, answers, option[6:])
    posix.write(answers, b"G")
    if b"lines" in options:
        _tell(sys, posix, answers, placeholder.rpartition("/")[0] + "/")
    else:
        posix.close(answers)


try:
    _hold()
except BaseException:
    # PID 1 takes the end without an answer for a refusal and starts a fresh interpreter.
    __import__("posix")._exit(1)
raise ImportError("No module named 'usercustomize'", name="usercustomize")
