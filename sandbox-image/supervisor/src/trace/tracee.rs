//! Reading a stopped program's arguments out of its memory. What is read can change before the call is made: it is an
//! observation, never a decision.

use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use saferun_frames::MAX_TEXT;

/// Longest path that the kernel takes, in bytes, with its NUL (`PATH_MAX`, see `path_resolution(7)`).
const MAX_PATH: usize = 4096;

/// Links that the kernel follows in one path (`path_resolution(7)`).
const MAX_LINKS: u32 = 40;

/// A thread that waits for its call.
pub(super) struct Tracee {
    pub(super) tid: i32,
    memory: Option<File>,
}

impl Tracee {
    pub(super) fn of(tid: i32) -> Self {
        Self {
            tid,
            memory: File::open(format!("/proc/{tid}/mem")).ok(),
        }
    }

    fn bytes(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Some(memory) = &self.memory else { return 0 };
        // A page at a time: the next one need not be there.
        let mut done = 0;
        while done < buffer.len() {
            let at = address.wrapping_add(done as u64);
            let room = usize::try_from(4096 - at % 4096).unwrap_or(4096);
            let end = buffer.len().min(done + room);
            match memory.read_at(&mut buffer[done..end], at) {
                Ok(0) | Err(_) => break,
                Ok(count) => done += count,
            }
        }
        done
    }

    /// The text at an address, up to its NUL, and as much of it as the kernel would take for a path: what is told is cut
    /// later, when its end has been looked at.
    pub(super) fn text(&self, address: u64) -> String {
        let mut buffer = [0; MAX_PATH];
        let count = self.bytes(address, &mut buffer);
        if count == 0 {
            return "(unreadable)".to_owned();
        }
        let end = buffer[..count].iter().position(|byte| *byte == 0);
        String::from_utf8_lossy(&buffer[..end.unwrap_or(count)]).into_owned()
    }

    pub(super) fn word(&self, address: u64) -> u64 {
        let mut buffer = [0; 8];
        self.bytes(address, &mut buffer);
        u64::from_ne_bytes(buffer)
    }

    /// A path as an absolute one, with whatever stands in it. No address stands for what the descriptor itself leads to.
    pub(super) fn path(&self, folder: Option<u64>, address: u64) -> String {
        let path = match address {
            0 => String::new(),
            address => self.text(address),
        };
        if path.starts_with('/') {
            return path;
        }
        let number = folder.map_or(libc::AT_FDCWD, low_half);
        let link = if number == libc::AT_FDCWD {
            format!("/proc/{}/cwd", self.tid)
        } else {
            format!("/proc/{}/fd/{number}", self.tid)
        };
        match fs::read_link(link) {
            Ok(base) if path.is_empty() => lossy(&base),
            Ok(base) => format!("{}/{path}", lossy(&base)),
            Err(_) => path,
        }
    }

    /// Where a path leads, if that is elsewhere than its normal form says: through links, or through a descriptor by its
    /// name in `/proc`.
    pub(super) fn leads_to(&self, asked: &str) -> Option<String> {
        self.resolve(asked, true)
    }

    /// The normal form of a path, and where what has this name itself is, be it a link, if that is elsewhere.
    pub(super) fn itself(&self, asked: &str) -> (String, Option<String>) {
        (normal(asked), self.resolve(asked, false))
    }

    /// Follows a path as the kernel would for this thread: `self` in `/proc` is the thread there, and a `..` goes up from
    /// where a link leads. `None` if it leads to what its normal form says, or to no path.
    fn resolve(&self, asked: &str, last_too: bool) -> Option<String> {
        if !asked.starts_with('/') {
            return None;
        }
        let mut rest: Vec<String> = parts(asked).rev().map(str::to_owned).collect();
        let (mut real, mut links) = (PathBuf::from("/"), 0);
        while let Some(part) = rest.pop() {
            if part == ".." {
                real.pop();
                continue;
            }
            real.push(&part);
            if ["/proc/self", "/proc/thread-self"]
                .map(Path::new)
                .contains(&real.as_path())
            {
                real = PathBuf::from(format!("/proc/{}", self.tid));
                continue;
            }
            if rest.is_empty() && !last_too {
                break;
            }
            // What is no link, or not there, is its own name.
            let Ok(to) = fs::read_link(&real) else {
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return None;
            }
            if to.is_absolute() {
                real = PathBuf::from("/");
            } else if real.starts_with("/proc") && lossy(&to).contains(':') {
                // A pipe, a socket, a namespace.
                return None;
            } else {
                real.pop();
            }
            rest.extend(parts(&lossy(&to)).rev().map(str::to_owned));
        }
        let (real, named) = (lossy(&real), normal(asked));
        let mut own = ["/proc/self/", "/proc/thread-self/"].iter();
        let own = own.find_map(|own| named.strip_prefix(own));
        let named = own.map_or(named.clone(), |rest| format!("/proc/{}/{rest}", self.tid));
        (real != named).then_some(real)
    }

    /// Up to 8 numbers of 32 bits at an address, of so many.
    pub(super) fn numbers(&self, address: u64, count: u64) -> String {
        const SHOWN: usize = 8;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut buffer = [0; 4 * SHOWN];
        let bytes = self.bytes(address, &mut buffer[..4 * count.min(SHOWN)]);
        let numbers = buffer[..bytes].chunks_exact(4);
        let shown: Vec<String> = numbers
            .filter_map(|number| Some(u32::from_ne_bytes(number.try_into().ok()?).to_string()))
            .collect();
        match shown.as_slice() {
            [] => "none".to_owned(),
            shown if count > shown.len() => format!("{} ...", shown.join(" ")),
            shown => shown.join(" "),
        }
    }

    /// Whom a call with these ids would make of the program, if that is somebody else: an id of -1 changes nothing.
    pub(super) fn other_identity(&self, ids: &[u64]) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.tid)).unwrap_or_default();
        let own: Vec<i32> = status
            .lines()
            .filter(|line| line.starts_with("Uid:") || line.starts_with("Gid:"))
            .flat_map(|line| line.split_whitespace().skip(1))
            .filter_map(|id| id.parse().ok())
            .collect();
        let mut ids = ids.iter().map(|id| low_half(*id));
        let other = ids.find(|id| *id != -1 && !own.contains(id))?;
        Some(match other {
            0 => "root".to_owned(),
            other => format!("id {other}"),
        })
    }

    /// A program with its arguments.
    pub(super) fn command(&self, path: String, mut list: u64) -> String {
        let mut command = path;
        // The first is the program's own name.
        for index in 0..16 {
            let address = self.word(list);
            if address == 0 || command.len() >= MAX_TEXT {
                break;
            }
            if index > 0 {
                command.push(' ');
                command.push_str(&self.text(address));
            }
            list = list.wrapping_add(8);
        }
        command
    }

    /// A socket's address, and whether it is one of the sandbox's own. `None` if there is none.
    pub(super) fn address(&self, address: u64) -> Option<(String, bool)> {
        if address == 0 {
            return None;
        }
        let mut raw = [0; 110];
        let count = self.bytes(address, &mut raw);
        let port = u16::from_be_bytes([raw[2], raw[3]]);
        let family = i32::from(u16::from_ne_bytes([raw[0], raw[1]]));
        Some(match family {
            libc::AF_INET => {
                let ip = Ipv4Addr::new(raw[4], raw[5], raw[6], raw[7]);
                (
                    format!("{ip}:{port}"),
                    ip.is_loopback() || ip.is_unspecified(),
                )
            }
            libc::AF_INET6 => {
                let mut octets = [0; 16];
                octets.copy_from_slice(&raw[8..24]);
                let ip = Ipv6Addr::from(octets);
                (
                    format!("[{ip}]:{port}"),
                    ip.is_loopback() || ip.is_unspecified(),
                )
            }
            libc::AF_UNIX => {
                let name = &raw[2..count.max(2)];
                let (mark, name) = match name.strip_prefix(b"\0") {
                    Some(rest) => ("@", rest),
                    None => ("", name),
                };
                let end = name
                    .iter()
                    .position(|byte| *byte == 0)
                    .unwrap_or(name.len());
                (
                    format!("unix:{mark}{}", String::from_utf8_lossy(&name[..end])),
                    true,
                )
            }
            other => (format!("address family {other}"), false),
        })
    }

    /// The process that this one came from.
    pub(super) fn parent(&self) -> Option<i32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.tid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        line.trim().parse().ok()
    }
}

/// The kernel reads a descriptor from the low half of a register.
pub(super) fn low_half(number: u64) -> i32 {
    let [.., a, b, c, d] = number.to_be_bytes();
    i32::from_be_bytes([a, b, c, d])
}

fn lossy(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
}

/// What stands between the slashes, apart from `.`.
fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

/// A path without `.`, `..` and double slashes. Links are not resolved: this is for a person to read.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_can_be_read_as_a_tracee() {
        let this = Tracee::of(std::process::id().cast_signed());
        let text = b"/a/./b/../c\0rest";
        let address = text.as_ptr().addr() as u64;
        assert_eq!(this.text(address), "/a/./b/../c");
        let path = this.path(None, address);
        assert_eq!(normal(&path), "/a/c");
        assert_eq!(this.text(8), "(unreadable)");
        assert_eq!(this.address(0), None);
    }

    #[test]
    fn a_path_leads_where_the_kernel_would_go_for_the_thread_that_asks() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let base = fs::canonicalize(folder.path()).expect("its name");
        let real = |name: &str| Some(base.join(name).display().to_string());
        fs::create_dir_all(at("deep/er")).expect("folders");
        for (name, to) in [
            ("down", "deep/er"),
            ("loop", "loop"),
            ("me", "/proc/self/cwd"),
            ("null", "/dev/null"),
        ] {
            std::os::unix::fs::symlink(to, at(name)).expect("a link");
        }
        // Another process, whose working folder is another.
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(at("deep"))
            .spawn()
            .expect("a child");
        let other = Tracee::of(child.id().cast_signed());
        let told: Vec<Option<String>> = ["down/../x", "down/y", "me/z", "null", "loop/a", "deep/x"]
            .iter()
            .map(|name| other.leads_to(&at(name)))
            .collect();
        let own = other.leads_to("/proc/self/../thread-self/cwd/v");
        let open = ["/proc/self/status", "/proc/mounts", "/proc/self/ns/mnt"]
            .map(|path| other.leads_to(path));
        let links = [
            other.itself(&at("null")).1,
            other.itself(&at("down/null")).1,
        ];
        let _ = (child.kill(), child.wait());
        assert_eq!(
            told,
            [
                real("deep/x"),
                real("deep/er/y"),
                real("deep/z"),
                Some("/dev/null".to_owned()),
                None,
                None
            ]
        );
        assert_eq!(own, real("deep/v"));
        let mounts = Some(format!("/proc/{}/mounts", other.tid));
        assert_eq!(open, [None, mounts, None]);
        assert_eq!(links, [None, real("deep/er/null")]);
    }

    #[test]
    fn groups_are_told_as_far_as_there_is_room() {
        let this = Tracee::of(std::process::id().cast_signed());
        let groups: Vec<u32> = (0..20).collect();
        let address = groups.as_ptr().addr() as u64;
        assert_eq!(this.numbers(address, 0), "none");
        assert_eq!(this.numbers(address, 2), "0 1");
        assert_eq!(this.numbers(address, 20), "0 1 2 3 4 5 6 7 ...");
        assert_eq!(this.numbers(8, u64::MAX), "none");
    }
}
