//! Splitting a byte stream into frames and back. No meaning, no I/O.

/// Bytes before each payload: the type and the length.
pub const HEADER_LEN: usize = 5;

/// Largest payload that either side accepts, in bytes. Bounds memory for one partial frame.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// Largest payload of a data frame that either side *sends*: one pipe's worth keeps latency low.
pub const MAX_DATA: usize = 64 * 1024;

/// The stream broke the framing rules; nothing after this can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A length field above [`MAX_PAYLOAD`].
    #[error("frame of type {kind} announces {length} bytes, more than the {MAX_PAYLOAD} allowed")]
    TooLong {
        /// The frame's type byte.
        kind: u8,
        /// The announced length in bytes.
        length: usize,
    },
    /// A type byte that this side does not know.
    #[error("unknown frame type {kind}")]
    UnknownType {
        /// The frame's type byte.
        kind: u8,
    },
    /// A control payload that is not the JSON it should be.
    #[error("frame of type {kind} does not decode: {reason}")]
    Payload {
        /// The frame's type byte.
        kind: u8,
        /// What the decoder said.
        reason: String,
    },
    /// The stream ended inside a frame.
    #[error("stream ended inside a frame, {missing} bytes short")]
    Truncated {
        /// How many bytes were still expected.
        missing: usize,
    },
}

/// Collects bytes and gives out whole frames.
///
/// Holds at most one partial frame plus what one `push` added; the caller bounds the size of a push.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// An empty decoder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes as they came from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame as its type and payload, `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] as soon as a header announces too much.
    pub fn next_frame(&mut self) -> Result<Option<(u8, &[u8])>, FrameError> {
        let pending = &self.buffer[self.start..];
        let Some((&[kind, l0, l1, l2, l3], _)) = pending.split_first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        // A u32 fits usize on every target that runs containers (32 and 64 bit).
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if length > MAX_PAYLOAD {
            return Err(FrameError::TooLong { kind, length });
        }
        let end = self.start + HEADER_LEN + length;
        if self.buffer.len() < end {
            return Ok(None);
        }
        let begin = self.start + HEADER_LEN;
        self.start = end;
        Ok(Some((kind, &self.buffer[begin..end])))
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] if bytes of an unfinished frame are held.
    pub fn finish(&self) -> Result<(), FrameError> {
        let pending = &self.buffer[self.start..];
        if pending.is_empty() {
            return Ok(());
        }
        let wanted = match pending.split_first_chunk::<HEADER_LEN>() {
            Some((&[_, l0, l1, l2, l3], _)) => {
                HEADER_LEN + u32::from_le_bytes([l0, l1, l2, l3]) as usize
            }
            None => HEADER_LEN,
        };
        Err(FrameError::Truncated {
            missing: wanted.saturating_sub(pending.len()),
        })
    }
}

/// Appends one frame to `out`.
///
/// # Panics
/// If the payload is longer than [`MAX_PAYLOAD`]: callers split data and bound control messages.
pub fn encode_into(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    assert!(
        payload.len() <= MAX_PAYLOAD,
        "a payload over the cap must be split before encoding"
    );
    // Cannot truncate: the assertion above keeps the length far below u32::MAX.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.reserve(HEADER_LEN + payload.len());
    out.push(kind);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(payload);
}

/// One frame as bytes of its own. See [`encode_into`].
#[must_use]
pub fn encode(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(&mut out, kind, payload);
    out
}
