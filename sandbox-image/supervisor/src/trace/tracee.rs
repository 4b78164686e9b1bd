//! Reading a stopped program's arguments out of its memory. What is read can change before the call is made: it is an
//! observation, never a decision.

use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use saferun_frames::MAX_TEXT;

/// Longest path that the kernel takes, in bytes, with its NUL (`PATH_MAX`, see `path_resolution(7)`).
const MAX_PATH: usize = 4096;

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

    /// A path as an absolute one in normal form. No address stands for what the descriptor itself leads to.
    pub(super) fn path(&self, folder: Option<u64>, address: u64) -> String {
        let path = match address {
            0 => String::new(),
            address => self.text(address),
        };
        if path.starts_with('/') {
            return normal(&path);
        }
        let number = folder.map_or(libc::AT_FDCWD, low_half);
        let link = if number == libc::AT_FDCWD {
            format!("/proc/{}/cwd", self.tid)
        } else {
            format!("/proc/{}/fd/{number}", self.tid)
        };
        match fs::read_link(link) {
            Ok(base) => {
                let base = String::from_utf8_lossy(base.as_os_str().as_bytes()).into_owned();
                normal(&format!("{base}/{path}"))
            }
            Err(_) => path,
        }
    }

    /// Where a path leads, if that is elsewhere: through links, or through a descriptor by its name in `/proc`.
    pub(super) fn leads_to(&self, path: &str) -> Option<String> {
        let thread = format!("/proc/{}", self.tid);
        let own = [
            ("/proc/self", thread.clone()),
            ("/proc/thread-self", thread.clone()),
            ("/dev/fd", format!("{thread}/fd")),
        ];
        let seen_from_here = own.iter().find_map(|(name, real)| {
            let rest = path.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{real}{rest}"))
        });
        let path = seen_from_here.as_deref().unwrap_or(path);
        let real = fs::canonicalize(path).or_else(|_| {
            // Not there yet: its folder may be.
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            fs::canonicalize(if above.is_empty() { "/" } else { above })
                .map(|above| above.join(name))
        });
        let real = real.ok()?;
        let real = String::from_utf8_lossy(real.as_os_str().as_bytes()).into_owned();
        (real != path).then_some(real)
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

/// A path without `.`, `..` and double slashes. Links are not resolved: this is for a person to read.
fn normal(path: &str) -> String {
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
        assert_eq!(this.path(None, address), "/a/c");
        assert_eq!(this.text(8), "(unreadable)");
        assert_eq!(this.address(0), None);
    }
}
