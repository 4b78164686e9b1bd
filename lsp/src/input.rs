//! Stands between standard input and the library, which ends at the first message that it cannot read: takes such
//! messages out, says so on standard error, and lets everything else through unchanged.

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest message, in bytes: several times the longest text that is scanned.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// Longest line of a header.
const MAX_HEADER: u64 = 4 * 1024;

/// What a message has to look like; unknown members are none of our business.
#[derive(Deserialize)]
struct Shape<'m> {
    jsonrpc: &'m str,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    error: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "the shape is checked by reading it")]
enum Id {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the shape is checked by reading it")]
struct Failure {
    code: i64,
    message: String,
    #[serde(default)]
    data: Option<Value>,
}

/// Passes messages on until the input ends or the other side is gone.
pub(crate) async fn pass(mut from: impl AsyncBufRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    while let Some(body) = next(&mut from).await {
        if !sound(&body) {
            say("a message that is no JSON-RPC 2.0 was passed over");
            continue;
        }
        let head = format!("Content-Length: {}\r\n\r\n", body.len());
        if to.write_all(head.as_bytes()).await.is_err() || to.write_all(&body).await.is_err() {
            return;
        }
    }
}

/// The next body; `None` at the end, or when the framing itself is lost.
async fn next(from: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        let read = (&mut *from)
            .take(MAX_HEADER)
            .read_until(b'\n', &mut line)
            .await;
        if read.ok()? == 0 || !line.ends_with(b"\n") {
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            match length {
                Some(length) => return body(from, length).await,
                None => continue,
            }
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
        }
    }
}

async fn body(from: &mut (impl AsyncBufRead + Unpin), length: usize) -> Option<Vec<u8>> {
    if length > MAX_MESSAGE {
        say("a message of more than 64 MiB came: ending");
        return None;
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.ok()?;
    Some(body)
}

fn sound(body: &[u8]) -> bool {
    serde_json::from_slice::<Shape>(body).is_ok_and(|shape| {
        shape.jsonrpc == "2.0"
            && (shape.method.is_some() || shape.id.is_some() || shape.error.is_some())
    })
}

fn say(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "saferun-lsp: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_read_is_taken_out() {
        let good = r#"{"jsonrpc":"2.0","method":"exit"}"#;
        let mut input = Vec::new();
        for body in [
            "{",
            "[]",
            "3",
            r#"{"id":1}"#,
            good,
            r#"{"jsonrpc":"2.0","id":{}}"#,
        ] {
            input.extend(format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes());
        }
        let mut out = Vec::new();
        pass(input.as_slice(), &mut out).await;
        let want = format!("Content-Length: {}\r\n\r\n{good}", good.len());
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
