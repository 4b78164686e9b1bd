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

/// A pair of sockets that keep messages apart: ours, which never blocks, and one for a child.
pub(crate) fn message_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    let flags = SockFlag::SOCK_CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    set_nonblocking(&ours)?;
    Ok((ours, theirs))
}

/// One message of a socket with the descriptor that came along, if one did.
pub(crate) fn receive(fd: impl AsFd, buffer: &mut [u8]) -> (Moved, Option<OwnedFd>) {
    let mut descriptor = None;
    let moved = moved(|| {
        let (count, came) = raw::receive(fd.as_fd(), buffer)?;
        descriptor = came;
        Ok(count)
    });
    (moved, descriptor)
}

/// A system call that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notification {
    pub(crate) id: u64,
    pub(crate) tid: i32,
    pub(crate) number: i64,
    pub(crate) args: [u64; 6],
}

/// The next call that waits. To be asked only when poll says that there is one.
pub(crate) fn next_notification(listener: impl AsFd) -> nix::Result<Notification> {
    raw::next_notification(listener.as_fd())
}

/// Lets a call go on, or refuses it with EPERM. An error means that the caller has died meanwhile.
pub(crate) fn answer_notification(listener: impl AsFd, id: u64, refuse: bool) {
    let _ = raw::answer_notification(listener.as_fd(), id, refuse);
}

/// Makes each notification several times cheaper where the kernel can (6.6).
pub(crate) fn notify_on_the_same_cpu(listener: impl AsFd) {
    let _ = raw::notify_on_the_same_cpu(listener.as_fd());
}

#[expect(
    unsafe_code,
    reason = "waitpid with the status of real-time signals has no safe wrapper, and neither have a received descriptor and seccomp's notifications"
)]
mod raw {
    use std::io::IoSliceMut;
    use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

    use nix::errno::Errno;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

    use super::Notification;

    /// `SECCOMP_IOCTL_NOTIF_RECV`, `_SEND` and `_SET_FLAGS` of linux/seccomp.h.
    const RECV: libc::Ioctl = 0xc050_2100;
    const SEND: libc::Ioctl = 0xc018_2101;
    const SET_FLAGS: libc::Ioctl = 0x4008_2104;
    /// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`.
    const SYNC_WAKE_UP: u64 = 1;
    /// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`.
    const CONTINUE: u32 = 1;

    /// `struct seccomp_notif`, 80 bytes.
    #[repr(C)]
    #[derive(Default)]
    struct Request {
        id: u64,
        pid: u32,
        flags: u32,
        number: i32,
        arch: u32,
        pointer: u64,
        args: [u64; 6],
    }

    /// `struct seccomp_notif_resp`, 24 bytes.
    #[repr(C)]
    struct Response {
        id: u64,
        value: i64,
        error: i32,
        flags: u32,
    }

    const _: () = assert!(size_of::<Request>() == 80 && size_of::<Response>() == 24);

    pub(super) fn receive(
        fd: BorrowedFd<'_>,
        buffer: &mut [u8],
    ) -> nix::Result<(usize, Option<OwnedFd>)> {
        let mut space = nix::cmsg_space!([RawFd; 1]);
        let mut parts = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(fd.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
        let mut descriptor = None;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = control {
                for number in numbers {
                    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
                    descriptor = Some(unsafe { OwnedFd::from_raw_fd(number) });
                }
            }
        }
        Ok((message.bytes, descriptor))
    }

    pub(super) fn next_notification(listener: BorrowedFd<'_>) -> nix::Result<Notification> {
        // The kernel wants it zeroed.
        let mut request = Request::default();
        // SAFETY: `request` is a live, writable structure of the size that the number `RECV` states.
        let done = unsafe { libc::ioctl(listener.as_raw_fd(), RECV, &raw mut request) };
        Errno::result(done)?;
        Ok(Notification {
            id: request.id,
            tid: request.pid.cast_signed(),
            number: i64::from(request.number),
            args: request.args,
        })
    }

    pub(super) fn answer_notification(
        listener: BorrowedFd<'_>,
        id: u64,
        refuse: bool,
    ) -> nix::Result<()> {
        let response = Response {
            id,
            value: 0,
            error: if refuse { -libc::EPERM } else { 0 },
            flags: if refuse { 0 } else { CONTINUE },
        };
        // SAFETY: `response` is a live structure of the size that the number `SEND` states; it is only read.
        let done = unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw const response) };
        Errno::result(done).map(drop)
    }

    pub(super) fn notify_on_the_same_cpu(listener: BorrowedFd<'_>) -> nix::Result<()> {
        // SAFETY: SET_FLAGS takes its flags by value.
        let done = unsafe { libc::ioctl(listener.as_raw_fd(), SET_FLAGS, SYNC_WAKE_UP) };
        Errno::result(done).map(drop)
    }

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
