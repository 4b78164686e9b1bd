//! The program's standard input: credits toward the daemon, non-blocking writes toward the program.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys::{self, Moved};

/// Bytes that may be under way or waiting here.
pub(crate) const WINDOW: u32 = 64 * 1024;

/// Credit is given back in pieces of at least this size, unless the buffer is empty.
const PIECE: u32 = 16 * 1024;

/// More input came than was granted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overrun;

/// Standard input of the program.
#[derive(Debug)]
pub(crate) struct Feed {
    pipe: Option<OwnedFd>,
    waiting: VecDeque<u8>,
    granted: u32,
    owed: u32,
    ended: bool,
}

impl Feed {
    /// Feeds `pipe`. Without `open` the program reads end of file at once.
    pub(crate) fn new(pipe: OwnedFd, open: bool) -> Self {
        let (pipe, owed) = if open {
            (Some(pipe), WINDOW)
        } else {
            (None, 0)
        };
        Self {
            pipe,
            waiting: VecDeque::new(),
            granted: 0,
            owed,
            ended: !open,
        }
    }

    /// Feeds another process's pipe from here on.
    pub(crate) fn redirect(&mut self, pipe: OwnedFd) {
        self.pipe = if self.ended && self.waiting.is_empty() {
            None
        } else {
            Some(pipe)
        };
    }

    /// Takes bytes from the daemon.
    pub(crate) fn accept(&mut self, bytes: &[u8]) -> Result<(), Overrun> {
        let length = u32::try_from(bytes.len()).map_err(|_| Overrun)?;
        if self.ended || length > self.granted {
            return Err(Overrun);
        }
        self.granted -= length;
        if self.pipe.is_some() {
            self.waiting.extend(bytes);
        } else {
            // The program closed its input: discard, and let the daemon run dry.
            self.owed += length;
        }
        Ok(())
    }

    /// No more input follows.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.close_if_done();
    }

    /// Writes what goes without blocking.
    pub(crate) fn pump(&mut self) {
        while let (Some(pipe), (piece, _)) = (&self.pipe, self.waiting.as_slices()) {
            if piece.is_empty() {
                break;
            }
            match sys::write_some(pipe, piece) {
                Moved::Bytes(count) => self.discard(count),
                Moved::Blocked => break,
                Moved::Closed => {
                    self.pipe = None;
                    self.discard(self.waiting.len());
                }
            }
        }
        self.close_if_done();
    }

    /// Credit to send to the daemon now.
    pub(crate) fn take_credit(&mut self) -> Option<u32> {
        let due = self.owed >= PIECE || (self.owed > 0 && self.waiting.is_empty());
        if self.ended || !due {
            return None;
        }
        self.granted += self.owed;
        Some(std::mem::take(&mut self.owed))
    }

    /// The pipe to poll for room, if bytes wait.
    pub(crate) fn wants_room(&self) -> Option<BorrowedFd<'_>> {
        self.pipe
            .as_ref()
            .filter(|_| !self.waiting.is_empty())
            .map(AsFd::as_fd)
    }

    fn discard(&mut self, count: usize) {
        self.waiting.drain(..count);
        // Cannot truncate: never more than WINDOW bytes wait.
        self.owed += u32::try_from(count).unwrap_or(WINDOW);
    }

    fn close_if_done(&mut self) {
        if self.ended && self.waiting.is_empty() {
            self.pipe = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> (OwnedFd, Feed) {
        let (reader, writer) = sys::pipe().expect("a pipe");
        sys::set_nonblocking(&writer).expect("a flag");
        sys::set_nonblocking(&reader).expect("a flag");
        (reader, Feed::new(writer, true))
    }

    fn drain(reader: &OwnedFd) -> usize {
        let mut buffer = vec![0; 1 << 20];
        match sys::read_some(reader, &mut buffer) {
            Moved::Bytes(count) => count,
            Moved::Blocked | Moved::Closed => 0,
        }
    }

    #[test]
    fn credit_comes_back_as_the_program_reads() {
        let (reader, mut feed) = feed();
        assert_eq!(feed.take_credit(), Some(WINDOW));
        assert_eq!(feed.take_credit(), None);
        let mut received = 0;
        for _ in 0..20 {
            feed.accept(&vec![7; WINDOW as usize])
                .expect("within the credit");
            feed.pump();
            received += drain(&reader);
            feed.pump();
            assert_eq!(feed.take_credit(), Some(WINDOW));
        }
        received += drain(&reader);
        assert_eq!(received, 20 * WINDOW as usize);
    }

    #[test]
    fn a_program_that_does_not_read_stops_the_credit() {
        let (_reader, mut feed) = feed();
        let mut accepted = 0;
        while let Some(credit) = feed.take_credit() {
            feed.accept(&vec![7; credit as usize])
                .expect("within the credit");
            feed.pump();
            accepted += credit;
        }
        // A default pipe holds one window; what is granted beyond it waits here and is bounded.
        assert!(accepted <= 2 * WINDOW, "{accepted}");
        assert!(feed.wants_room().is_some());
    }

    #[test]
    fn more_than_the_credit_is_an_overrun() {
        let (_reader, mut feed) = feed();
        assert_eq!(feed.accept(b"x"), Err(Overrun));
        assert_eq!(feed.take_credit(), Some(WINDOW));
        assert_eq!(feed.accept(&vec![0; WINDOW as usize + 1]), Err(Overrun));
        feed.end();
        assert_eq!(feed.accept(b"x"), Err(Overrun));
    }

    #[test]
    fn the_end_closes_the_pipe_after_what_was_sent() {
        let (reader, mut feed) = feed();
        assert_eq!(feed.take_credit(), Some(WINDOW));
        feed.accept(b"last").expect("within the credit");
        feed.end();
        feed.pump();
        let mut buffer = [0; 16];
        assert_eq!(sys::read_some(&reader, &mut buffer), Moved::Bytes(4));
        assert_eq!(sys::read_some(&reader, &mut buffer), Moved::Closed);
    }

    #[test]
    fn a_program_that_closed_its_input_costs_the_daemon_nothing() {
        let (reader, mut feed) = feed();
        drop(reader);
        for _ in 0..4 {
            let credit = feed.take_credit().expect("credit goes on");
            feed.accept(&vec![7; credit as usize])
                .expect("within the credit");
            feed.pump();
        }
    }
}
