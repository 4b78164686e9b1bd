//! The last thing that the interpreter said in a thread, and which calls of the kernel's it can be about. A call that
//! nothing was said of, such as `mkfifo`, has no line, rather than that of whatever came before it. Pure.

use saferun_frames::EventKind;

use super::log::short;

/// A longer detail may have been cut by the interpreter's hook, and is compared with nothing. In bytes.
const WHOLE: usize = 500;

/// What the interpreter said.
#[derive(Debug, Clone)]
pub(super) struct Hint {
    pub(super) file: String,
    pub(super) line: u32,
    event: String,
    detail: String,
}

impl Hint {
    pub(super) fn new(file: String, line: u32, event: &str, detail: &str) -> Self {
        Self {
            file,
            line,
            event: short(event),
            detail: short(detail),
        }
    }

    /// Whether it can be about this call, which is an event of this kind and text.
    pub(super) fn is_about(&self, kind: EventKind, call: &str, what: &str) -> bool {
        // The interpreter says nothing of most of these. No finding is called not reached for want of one, and without a line
        // one would pass for foretold by any finding of its kind: the last word stands.
        if kind == EventKind::Refused {
            return true;
        }
        let fits = match self.event.as_str() {
            "open" => {
                call.starts_with("open")
                    && (kind == EventKind::Secret || !self.detail.starts_with("r:"))
            }
            "os.mkdir" => call.starts_with("mkdir"),
            "os.chmod" => call.contains("chmod"),
            "os.chown" => call.contains("chown"),
            "os.utime" => call.contains("utime"),
            "os.setxattr" | "os.removexattr" => call.contains("xattr"),
            "os.truncate" => call.contains("truncate"),
            "os.remove" => call.starts_with("unlink"),
            "os.rmdir" => call.starts_with("rmdir") || call == "unlinkat",
            "os.link" => return call.starts_with("link"),
            "os.symlink" => return call.starts_with("symlink"),
            "os.rename" => return call.starts_with("rename"),
            "subprocess.Popen" | "os.system" | "os.exec" | "os.posix_spawn" | "os.fork"
            | "os.forkpty" => return kind == EventKind::Process,
            "ctypes.dlsym" => return !self.detail.is_empty() && call.starts_with(&self.detail),
            event => {
                return event.starts_with("socket.")
                    && event != "socket.__new__"
                    && kind == EventKind::Network;
            }
        };
        fits && self.names(what)
    }

    /// Whether the last part of its path stands in a text. One that has no name, a descriptor for one, leaves it open.
    fn names(&self, what: &str) -> bool {
        let path = self.detail.strip_prefix("r:").unwrap_or(&self.detail);
        let path = path.trim_end_matches('/');
        let name = path.rsplit('/').next().unwrap_or_default();
        let nameless = matches!(name, "." | "..") || name.bytes().all(|one| one.is_ascii_digit());
        nameless || path.len() >= WHOLE || what.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use EventKind::{Delete, Network, Process, Refused, Secret, Write};

    use super::*;

    #[test]
    fn a_line_is_told_only_of_the_call_that_it_is_about() {
        for (event, detail, kind, call, what, about) in [
            ("open", "a.txt", Write, "openat", "/workspace/a.txt", true),
            ("open", "3", Write, "openat", "/workspace/a.txt", true),
            ("open", "b.txt", Write, "openat", "/workspace/a.txt", false),
            ("open", "r:a.txt", Write, "openat", "/w/a.txt", false),
            ("open", "r:x/.env", Secret, "openat", "/w/x/.env", true),
            ("open", "a", Delete, "unlink", "/w/a", false),
            ("os.mkdir", "/tmp/a", Write, "mkdir", "/tmp/a", true),
            ("os.mkdir", "/tmp/a", Write, "mknodat", "/tmp/fifo", false),
            ("os.remove", "a/b/", Delete, "unlinkat", "/w/a/b", true),
            ("os.rename", "a to b", Delete, "rename", "/a to /b", true),
            ("os.system", "ls", Process, "execve", "/bin/sh", true),
            ("os.mkdir", "/tmp/a", Refused, "kill", "kill: x", true),
            ("os.kill", "1", Refused, "kill", "kill: x", true),
            ("ctypes.dlsym", "unlink", Delete, "unlinkat", "x", true),
            ("ctypes.dlsym", "getpid", Delete, "unlink", "x", false),
            ("ctypes.dlsym", "", Delete, "unlink", "x", false),
            ("socket.connect", "h:1", Network, "connect", "h:1", true),
            ("socket.__new__", "2 1", Network, "connect", "h:1", false),
            ("socket.connect", "h:1", Write, "openat", "/a", false),
        ] {
            let hint = Hint::new("main.py".to_owned(), 1, event, detail);
            let told = hint.is_about(kind, call, what);
            assert_eq!(told, about, "{event} {detail} {call} {what}");
        }
    }
}
