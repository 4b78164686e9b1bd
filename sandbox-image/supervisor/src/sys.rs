//! Descriptors and the one system call that the safe wrappers cannot express.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::unistd;
use saferun_frames::Exit;

/// What one non-blocking read or write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now, ask again after poll.
    Blocked,
    /// End of file, broken pipe, or an error that no retry heals.
    Closed,
}

/// A pipe (read end, write end) that no child inherits.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(unistd::pipe2(OFlag::O_CLOEXEC)?)
}

/// Closes what the engine's launcher may have left open beyond the three standard streams. To be
/// called before anything is opened.
pub(crate) fn close_inherited() {
    let numbers: Vec<i32> = match std::fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect(),
        Err(_) => (3..256).collect(),
    };
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // EBADF is right for the descriptor that listed the folder.
        let _ = unistd::close(number);
    }
}

pub(crate) fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Lets the next child inherit `fd`. Nothing else is started meanwhile: there is one thread.
pub(crate) fn set_inheritable(fd: impl AsFd) -> io::Result<()> {
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}

pub(crate) fn read_some(fd: impl AsFd, buffer: &mut [u8]) -> Moved {
    moved(|| unistd::read(&fd, buffer))
}

pub(crate) fn write_some(fd: impl AsFd, bytes: &[u8]) -> Moved {
    moved(|| unistd::write(&fd, bytes))
}

fn moved(mut call: impl FnMut() -> nix::Result<usize>) -> Moved {
    loop {
        match call() {
            Ok(0) => return Moved::Closed,
            Ok(count) => return Moved::Bytes(count),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Moved::Blocked,
            Err(_) => return Moved::Closed,
        }
    }
}

/// What [`wait_any`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// This child ended and is reaped.
    Ended(i32, Exit),
    /// There are children, and none has ended.
    NoneEnded,
    /// There are no children.
    NoChildren,
}

/// Reaps one ended child, without blocking.
///
/// Not nix's `waitpid`: that reaps a child killed by a real-time signal and then loses its status.
pub(crate) fn wait_any() -> Waited {
    loop {
        match raw::wait_any() {
            Ok((0, _)) => return Waited::NoneEnded,
            Ok((pid, status)) => {
                if let Some(exit) = exit_of(status) {
                    return Waited::Ended(pid, exit);
                }
            }
            Err(Errno::EINTR) => {}
            Err(_) => return Waited::NoChildren,
        }
    }
}

/// Decodes a wait status; `None` for a stop or continuation, which nobody asked for.
fn exit_of(status: i32) -> Option<Exit> {
    if libc::WIFEXITED(status) {
        return u8::try_from(libc::WEXITSTATUS(status)).ok().map(Exit::Code);
    }
    if libc::WIFSIGNALED(status) {
        return u8::try_from(libc::WTERMSIG(status)).ok().map(Exit::Signal);
    }
    None
}

#[expect(
    unsafe_code,
    reason = "waitpid with the status of real-time signals has no safe wrapper"
)]
mod raw {
    use nix::errno::Errno;

    /// `waitpid(-1, &status, WNOHANG)`: the pid (0 if none has ended) and the status.
    pub(super) fn wait_any() -> nix::Result<(i32, i32)> {
        let mut status = 0;
        // SAFETY: `status` is a live, writable int for the whole call, and waitpid keeps no pointer.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
        Errno::result(pid).map(|pid| (pid, status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_decode_as_the_kernel_encodes_them() {
        assert_eq!(exit_of(3 << 8), Some(Exit::Code(3)));
        assert_eq!(exit_of(9), Some(Exit::Signal(9)));
        assert_eq!(exit_of(0x80 | 6), Some(Exit::Signal(6)));
        assert_eq!(exit_of(40), Some(Exit::Signal(40)));
        assert_eq!(exit_of(0x137f), None);
    }

    #[test]
    fn a_pipe_moves_bytes_then_blocks_then_closes() {
        let (reader, writer) = pipe().expect("a pipe");
        set_nonblocking(&reader).expect("a flag");
        let mut buffer = [0; 8];
        assert_eq!(read_some(&reader, &mut buffer), Moved::Blocked);
        assert_eq!(write_some(&writer, b"abc"), Moved::Bytes(3));
        assert_eq!(read_some(&reader, &mut buffer), Moved::Bytes(3));
        drop(writer);
        assert_eq!(read_some(&reader, &mut buffer), Moved::Closed);
    }
}
