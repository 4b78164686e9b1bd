//! The stream to and from the daemon. Never blocks; knows frames, not what they mean for a run.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use saferun_frames::{Decoder, FrameError, ToDaemon, ToSupervisor};

use crate::sys::{self, Moved};

/// Queued bytes above which the program's pipes are not read: bounds memory when the daemon stalls.
pub(crate) const HIGH_WATER: usize = 256 * 1024;

/// Bytes read at a time.
const READ_SIZE: usize = 64 * 1024;

/// Room of the pipe from the daemon, in bytes: the most that an unprivileged process may have.
const PIPE_SIZE: i32 = 1024 * 1024;

/// Both directions of the stream to the daemon.
pub(crate) struct Outer {
    input: OwnedFd,
    output: OwnedFd,
    decoder: Decoder,
    queue: Vec<u8>,
    written: usize,
    gone: bool,
    buffer: Box<[u8]>,
}

impl Outer {
    /// Takes standard input and output, as copies that no child inherits.
    pub(crate) fn attach() -> io::Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        sys::set_nonblocking(&input)?;
        sys::set_nonblocking(&output)?;
        // A project of megabytes comes in with fewer turns between the engine and this end. Where it is no pipe, or not
        // allowed, it comes in all the same.
        let _ = fcntl(&input, FcntlArg::F_SETPIPE_SZ(PIPE_SIZE));
        Ok(Self {
            input,
            output,
            decoder: Decoder::new(),
            queue: Vec::new(),
            written: 0,
            gone: false,
            buffer: vec![0; READ_SIZE].into_boxed_slice(),
        })
    }

    pub(crate) fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    pub(crate) fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// Whether the daemon closed either direction.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Bytes that wait to be written.
    pub(crate) fn backlog(&self) -> usize {
        self.queue.len() - self.written
    }

    /// Queues one message and writes what goes without blocking.
    pub(crate) fn send(&mut self, message: &ToDaemon) {
        self.queue.extend_from_slice(&message.encode());
        self.flush();
    }

    /// Writes what goes without blocking.
    pub(crate) fn flush(&mut self) {
        while self.backlog() > 0 && !self.gone {
            match sys::write_some(&self.output, &self.queue[self.written..]) {
                Moved::Bytes(count) => self.written += count,
                Moved::Blocked => break,
                Moved::Closed => self.gone = true,
            }
        }
        if self.backlog() == 0 || self.gone {
            self.queue.clear();
            self.written = 0;
        } else if self.written >= HIGH_WATER {
            self.queue.drain(..self.written);
            self.written = 0;
        }
    }

    /// Reads once, without blocking.
    pub(crate) fn receive(&mut self) {
        match sys::read_some(&self.input, &mut self.buffer) {
            Moved::Bytes(count) => self.decoder.push(&self.buffer[..count]),
            Moved::Blocked => {}
            Moved::Closed => self.gone = true,
        }
    }

    /// The next whole message among the bytes received.
    pub(crate) fn next(&mut self) -> Result<Option<ToSupervisor>, FrameError> {
        ToSupervisor::next(&mut self.decoder)
    }

    /// Writes the queue to its end, giving up at the deadline or when the daemon has gone.
    pub(crate) fn flush_within(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        self.flush();
        while self.backlog() > 0 && !self.gone && Instant::now() < deadline {
            self.wait(PollFlags::POLLOUT, deadline);
            self.flush();
        }
    }

    /// Writes until less than this is queued, giving up after a while or when the daemon has gone.
    pub(crate) fn drain_below(&mut self, mark: usize, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.backlog() >= mark && !self.gone {
            if Instant::now() >= deadline {
                self.gone = true;
                return;
            }
            self.wait(PollFlags::POLLOUT, deadline);
            self.flush();
        }
    }

    /// Stays until the daemon closes the stream: the end of PID 1 sets the engine to work on the
    /// container, which would compete with the delivery of the last frames.
    pub(crate) fn linger(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        self.flush_within(patience);
        while !self.gone && Instant::now() < deadline {
            self.wait(PollFlags::POLLIN, deadline);
            self.receive();
            // Late frames (more input, a kill) have lost their run: drop them.
            self.decoder = Decoder::new();
        }
    }

    fn wait(&self, events: PollFlags, deadline: Instant) {
        let fd = if events == PollFlags::POLLIN {
            self.input()
        } else {
            self.output()
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        // An interrupted wait only means that the caller looks again.
        let _ = poll(&mut [PollFd::new(fd, events)], timeout);
    }
}
