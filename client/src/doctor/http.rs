//! The few questions that the doctor asks an engine itself, so that it can look even where the daemon
//! cannot start. Blocking, with a deadline.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde_json::Value;

/// Longest wait for a part of the answer.
const DEADLINE: Duration = Duration::from_secs(5);
/// Most bytes of an answer.
const LIMIT: u64 = 4 * 1024 * 1024;

/// The JSON that the engine answers to a GET.
pub(crate) fn get(socket: &Path, path: &str) -> io::Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    // Version 1.0 has no chunks: the body ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LIMIT).read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it does not speak the engine's protocol",
        )
    })
}

fn parse(answer: &[u8]) -> Option<Value> {
    let answer = std::str::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_ascii_whitespace().nth(1)?;
    (head.starts_with("HTTP/1.") && status == "200").then_some(())?;
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_answer_counts() {
        assert_eq!(
            parse(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n{\"a\":1}").unwrap()["a"],
            1
        );
        for bad in [
            &b""[..],
            b"HTTP/1.0 500 No\r\n\r\n{}",
            b"SSH-2.0\r\n\r\n{}",
            b"HTTP/1.0 200 OK\r\n\r\n<html>",
            b"\xff",
        ] {
            assert!(parse(bad).is_none());
        }
    }
}
