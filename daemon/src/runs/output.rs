//! Bytes of the two output streams on their way out: split characters are held back until whole, the
//! total is bounded whatever the container says, and a gap is never silent.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::OutputChunk;

/// One output stream of one run.
#[derive(Debug)]
pub(crate) struct OutputStream {
    /// Start of a character whose rest has not come yet; at most three bytes.
    partial: Vec<u8>,
    passed: u64,
    allowed: u64,
}

/// The container sent more than its supervisor was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox sent more output than it was allowed to")]
pub(crate) struct TooMuch;

impl OutputStream {
    /// A stream that may pass on this many bytes.
    pub(crate) fn new(allowed: u64) -> Self {
        Self {
            partial: Vec::new(),
            passed: 0,
            allowed,
        }
    }

    /// Takes bytes as they came; returns what can be shown now.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Option<OutputChunk>, TooMuch> {
        self.passed = self.passed.saturating_add(bytes.len() as u64);
        if self.passed > self.allowed {
            return Err(TooMuch);
        }
        let mut whole = std::mem::take(&mut self.partial);
        whole.extend_from_slice(bytes);
        let keep = incomplete_suffix(&whole);
        self.partial = whole.split_off(whole.len() - keep);
        Ok((!whole.is_empty()).then(|| chunk(whole)))
    }

    /// What was held back, when nothing follows it directly any more.
    pub(crate) fn flush(&mut self) -> Option<OutputChunk> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then(|| chunk(rest))
    }
}

pub(super) fn chunk(bytes: Vec<u8>) -> OutputChunk {
    match String::from_utf8(bytes) {
        Ok(text) => OutputChunk::Text { text },
        Err(error) => OutputChunk::Base64 {
            base64: STANDARD.encode(error.as_bytes()),
        },
    }
}

/// Length of an unfinished but so far valid UTF-8 sequence at the end (0 to 3).
fn incomplete_suffix(bytes: &[u8]) -> usize {
    let mut valid_from = 0;
    loop {
        match std::str::from_utf8(&bytes[valid_from..]) {
            Ok(_) => return 0,
            Err(error) => match error.error_len() {
                None => return bytes.len() - valid_from - error.valid_up_to(),
                Some(length) => valid_from += error.valid_up_to() + length,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes_of(chunks: &[OutputChunk]) -> Vec<u8> {
        chunks
            .iter()
            .flat_map(|chunk| match chunk {
                OutputChunk::Text { text } => text.clone().into_bytes(),
                OutputChunk::Base64 { base64 } => STANDARD.decode(base64).unwrap(),
                OutputChunk::Gap { .. } => Vec::new(),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn o3_nothing_is_lost_however_it_is_cut(
            bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 1_usize..7,
        ) {
            let mut stream = OutputStream::new(1 << 20);
            let mut chunks = Vec::new();
            for piece in bytes.chunks(cut) {
                chunks.extend(stream.push(piece).unwrap());
            }
            chunks.extend(stream.flush());
            prop_assert_eq!(bytes_of(&chunks), bytes);
        }

        #[test]
        fn o3_text_stays_text_however_it_is_cut(text in "\\PC{0,60}", cut in 1_usize..5) {
            let mut stream = OutputStream::new(1 << 20);
            for piece in text.as_bytes().chunks(cut) {
                if let Some(chunk) = stream.push(piece).unwrap() {
                    let is_text = matches!(chunk, OutputChunk::Text { .. });
                    prop_assert!(is_text, "text became bytes");
                }
            }
            prop_assert_eq!(stream.flush(), None);
        }
    }

    #[test]
    fn more_than_allowed_is_an_error_not_a_buffer() {
        let mut stream = OutputStream::new(4);
        assert!(stream.push(b"abcd").is_ok());
        assert_eq!(stream.push(b"e"), Err(TooMuch));
    }
}
