//! A connection's bytes as they come: once it is a WebSocket, a message that is not whole counts and has
//! its time ([`HalfSent`]). Changes no byte.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use saferun_protocol::MAX_REQUEST_BYTES;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
};

use super::half_sent::{HalfSent, Room};

/// A larger frame is refused by its head, and no room is made for it.
const LARGEST: u64 = MAX_REQUEST_BYTES as u64;

/// The socket under a connection.
pub(super) struct Metered {
    socket: UnixStream,
    meter: Meter,
    room: Room,
    half: Option<HalfSent>,
}

/// Tells what the bytes of a connection are. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Speech>>);

enum Speech {
    Http(Head),
    WebSocket(Frames),
}

impl Default for Speech {
    fn default() -> Self {
        Self::Http(Head::Within { blank: false })
    }
}

/// How far the first head of a connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// `blank`: since the last line feed there was nothing, or a carriage return.
    Within { blank: bool },
    /// Its empty line was the last that came.
    Whole,
    /// There was more.
    Beyond,
}

impl Meter {
    /// From here on the connection is a WebSocket. `false` if something came before that could be asked for, so that
    /// nobody could tell where its first frame begins.
    pub(super) fn becomes_a_websocket(&self) -> bool {
        let mut speech = self.locked();
        let plain = matches!(*speech, Speech::Http(Head::Whole));
        if plain {
            *speech = Speech::WebSocket(Frames::default());
        }
        plain
    }

    /// It did not become one after all, and cannot any more.
    pub(super) fn stays_http(&self) {
        *self.locked() = Speech::Http(Head::Beyond);
    }

    fn locked(&self) -> MutexGuard<'_, Speech> {
        // Nothing in it panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Metered {
    pub(super) fn new(socket: UnixStream, room: Room) -> (Self, Meter) {
        let meter = Meter::default();
        let this = Self {
            socket,
            meter: meter.clone(),
            room,
            half: None,
        };
        (this, meter)
    }

    fn came(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut speech = self.meter.locked();
        let frames = match &mut *speech {
            Speech::Http(head) => {
                head.read(bytes);
                return Ok(());
            }
            Speech::WebSocket(frames) => frames,
        };
        if frames.read(bytes) {
            self.half = None;
        }
        if frames.is_between() {
            return Ok(());
        }
        let held = frames.held;
        drop(speech);
        let half = self.half.get_or_insert_with(|| self.room.begin());
        half.holds(held)
    }
}

impl Head {
    /// The end is an empty line, as lenient readers see it: one line feed after another, a carriage return between or not.
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            *self = match (*self, byte) {
                (Self::Within { blank: true }, b'\n') => Self::Whole,
                (Self::Within { .. }, b'\n') => Self::Within { blank: true },
                (Self::Within { blank }, b'\r') => Self::Within { blank },
                (Self::Within { .. }, _) => Self::Within { blank: false },
                (Self::Whole | Self::Beyond, _) => Self::Beyond,
            };
            if *self == Self::Beyond {
                return;
            }
        }
    }
}

/// Where the frames of a WebSocket begin and end (RFC 6455, section 5.2).
#[derive(Default)]
struct Frames {
    head: [u8; 14],
    got: usize,
    /// Bytes of the frame's payload that are still to come.
    left: u64,
    last: bool,
    control: bool,
    /// Within a message, between its first frame and the end of its last.
    message: bool,
    /// Bytes of that message that its frames have announced: room is made for a frame as soon as its head is there.
    held: u64,
}

impl Frames {
    /// Whether a message ended in them.
    fn read(&mut self, mut bytes: &[u8]) -> bool {
        let mut ended = false;
        while let Some((&first, rest)) = bytes.split_first() {
            if self.left == 0 {
                bytes = rest;
                self.head[self.got] = first;
                self.got += 1;
                if self.got < self.head_length() {
                    continue;
                }
                self.begin();
            } else {
                let there = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let part = there.min(self.left);
                bytes = &bytes[usize::try_from(part).unwrap_or(bytes.len())..];
                self.left -= part;
            }
            if self.left == 0 && !self.control && self.last {
                (self.message, self.held, ended) = (false, 0, true);
            }
        }
        ended
    }

    /// Bytes of this frame's head, as far as it can be told by those that are there.
    fn head_length(&self) -> usize {
        if self.got < 2 {
            return 2;
        }
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        let length = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + length + mask
    }

    fn begin(&mut self) {
        self.left = match self.head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes([self.head[2], self.head[3]])),
            127 => self.head[2..10]
                .iter()
                .fold(0, |all, byte| all << 8 | u64::from(*byte)),
            short => u64::from(short),
        };
        self.got = 0;
        self.last = self.head[0] & 0x80 != 0;
        self.control = self.head[0] & 0x08 != 0;
        self.message |= !self.control;
        if !self.control && self.left <= LARGEST {
            self.held += self.left;
        }
    }

    /// Whether nothing has begun that has not ended.
    const fn is_between(&self) -> bool {
        self.got == 0 && self.left == 0 && !self.message
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.socket).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(self.came(&buffer.filled()[before..])),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match &mut self.half {
                Some(half) => half.poll_given_up(context).map(Err),
                None => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A frame as a client sends it.
    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            126..65_536 => {
                bytes.push(0x80 | 0x7e);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 0x7f);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes.resize(bytes.len() + length, 0x81);
        bytes
    }

    const TEXT: u8 = 0x81;
    const TEXT_BEGINS: u8 = 0x01;
    const GOES_ON: u8 = 0x00;
    const ENDS: u8 = 0x80;
    const PING: u8 = 0x89;

    proptest! {
        /// However the bytes are cut, the same is held after the same bytes, and nothing at the end.
        #[test]
        fn messages_are_found_however_their_bytes_come(
            lengths in proptest::collection::vec((0_usize..300, 0_usize..70_000), 1..6),
            cut in 1_usize..5000,
        ) {
            let mut bytes = Vec::new();
            for (one, two) in &lengths {
                bytes.extend(frame(TEXT, *two));
                bytes.extend(frame(TEXT_BEGINS, *one));
                bytes.extend(frame(PING, 5));
                bytes.extend(frame(GOES_ON, *two));
                bytes.extend(frame(ENDS, *one));
            }
            let (mut frames, mut ended) = (Frames::default(), 0);
            for piece in bytes.chunks(cut) {
                ended += usize::from(frames.read(piece));
            }
            prop_assert!(frames.is_between());
            prop_assert!(ended >= 1 && ended <= lengths.len() * 2);
            // One that is not whole is held as far as it was announced.
            let (last, _) = lengths[0];
            let mut part = [frame(TEXT_BEGINS, last), frame(PING, 3), frame(GOES_ON, 7)].concat();
            part.truncate(part.len() - 3);
            prop_assert!(!frames.read(&part));
            prop_assert!(!frames.is_between());
            prop_assert_eq!(frames.held, last as u64 + 7);
        }
    }

    #[test]
    fn only_a_head_and_nothing_else_may_become_a_websocket() {
        for (sent, may) in [
            (&["GET / HTTP/1.1\r\nA: b\r\n\r", "\n"][..], true),
            (&["GET / HTTP/1.1\nA: b\n\n"], true),
            (&["GET / HTTP/1.1\r\nA: b\r\n"], false),
            (&["GET / HTTP/1.1\r\n\r\n", "\u{1}"], false),
            // A frame's beginning that ends as a head does.
            (&["GET / HTTP/1.1\n\n\u{1}\u{7f}\r\n\r\n"], false),
            (&["GET / HTTP/1.1\n\r\n\u{1}\u{7f}\n\n"], false),
            (
                &["POST / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"],
                false,
            ),
        ] {
            let meter = Meter::default();
            for bytes in sent {
                if let Speech::Http(head) = &mut *meter.locked() {
                    head.read(bytes.as_bytes());
                }
            }
            assert_eq!(meter.becomes_a_websocket(), may, "{sent:?}");
            meter.stays_http();
            assert!(!meter.becomes_a_websocket());
        }
    }

    #[tokio::test]
    async fn a_message_that_does_not_end_ends_the_connection_and_silence_between_does_not() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let (mut socket, meter) = Metered::new(server, Room::of(1 << 30, Duration::from_millis(1)));
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut buffer = vec![0; 1000];
        let _ = socket.read(&mut buffer).await.unwrap();
        assert!(meter.becomes_a_websocket());
        let whole = frame(TEXT, 100);
        client.write_all(&whole).await.unwrap();
        socket.read_exact(&mut buffer[..whole.len()]).await.unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(50), socket.read(&mut buffer));
        assert!(silence.await.is_err(), "it waits for the next message");
        for begun in [frame(TEXT, 100)[..50].to_vec(), vec![TEXT]] {
            client.write_all(&begun).await.unwrap();
            let error = loop {
                match socket.read(&mut buffer).await {
                    Ok(count) => assert!(count > 0),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            // As if it had been whole.
            socket.half = None;
            *meter.locked() = Speech::WebSocket(Frames::default());
        }
    }
}
