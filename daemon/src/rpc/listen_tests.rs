//! The socket as raw clients find it: half-sent requests, too many of them, and upgrades that come with more.

use jsonrpsee::{RpcModule, server::stop_channel};
use tempfile::TempDir;

use super::*;

const MIB: usize = 1 << 20;
/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);

/// A socket with one method, `length`, which answers how long its text is.
fn served(room: Room) -> (TempDir, impl Sized) {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    let mut module = RpcModule::new(());
    let length = |params: jsonrpsee::types::Params<'_>, (): &(), _: &jsonrpsee::Extensions| {
        params.one::<String>().map_or(0, |text| text.len())
    };
    module.register_method("length", length).unwrap();
    let (stop, handle) = stop_channel();
    let served = serve_in(
        room,
        listener,
        module.into(),
        stop,
        CancellationToken::new(),
    );
    tokio::spawn(served);
    (folder, handle)
}

async fn connect(folder: &TempDir) -> UnixStream {
    let socket = folder.path().join("socket");
    UnixStream::connect(socket).await.unwrap()
}

fn call(text: usize) -> String {
    let text = "x".repeat(text);
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"length","params":["{text}"]}}"#)
}

fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// All that comes until the server closes.
async fn rest(mut socket: UnixStream) -> String {
    let mut all = Vec::new();
    let end = tokio::time::timeout(LONG, socket.read_to_end(&mut all)).await;
    // Bytes of ours that it did not read make it a reset.
    let _ = end.expect("the server closes it");
    String::from_utf8_lossy(&all).into_owned()
}

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A text message, with a mask of zeros: its bytes are what they mean.
fn message(text: &str) -> Vec<u8> {
    let length = u64::try_from(text.len()).unwrap();
    let mut bytes = vec![0x81, 0x80 | 127];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(text.bytes());
    bytes
}

async fn websocket(folder: &TempDir) -> UnixStream {
    let mut socket = connect(folder).await;
    socket.write_all(UPGRADE.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    socket
}

#[tokio::test]
async fn who_sends_half_of_many_large_requests_keeps_nobody_out() {
    let (folder, _handle) = served(Room::of(4 * MIB as u64, LONG));
    let whole = post(&call(3 * MIB));
    let mut half_sent = Vec::new();
    for _ in 0..6 {
        let mut socket = connect(&folder).await;
        // The first ones are ended while they send.
        let _ = socket.write_all(&whole.as_bytes()[..2 * MIB]).await;
        half_sent.push(socket);
    }
    let mut honest = connect(&folder).await;
    honest.write_all(whole.as_bytes()).await.unwrap();
    let answer = rest(honest).await;
    assert!(
        answer.ends_with(&format!(r#""result":{}}}"#, 3 * MIB)),
        "{answer}"
    );
    let first = rest(half_sent.remove(0)).await;
    assert!(!first.contains("result"), "{first}");
}

#[tokio::test]
async fn half_a_message_ends_its_websocket_in_time_and_whole_ones_wait_for_nothing() {
    let (folder, _handle) = served(Room::of(64 * MIB as u64, Duration::from_millis(200)));
    let (mut half, mut silent) = (websocket(&folder).await, websocket(&folder).await);
    let large = message(&call(MIB));
    half.write_all(&large[..1000]).await.unwrap();
    let end = rest(half).await;
    assert!(!end.contains("result"), "{end}");
    // The other one was as old.
    silent.write_all(&message(&call(1000))).await.unwrap();
    let mut answer = vec![0; 200];
    let count = silent.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
    assert!(answer.contains(r#""result":1000"#), "{answer}");
}

#[tokio::test]
async fn messages_of_websockets_take_their_room_from_the_same() {
    let (folder, _handle) = served(Room::of(4 * MIB as u64, LONG));
    let large = message(&call(3 * MIB));
    let mut first = websocket(&folder).await;
    // Its head alone: the reader makes room for what it announces.
    first.write_all(&large[..14]).await.unwrap();
    let mut second = websocket(&folder).await;
    second.write_all(&large[..2 * MIB]).await.unwrap();
    let end = rest(first).await;
    assert!(!end.contains("result"), "{end}");
}

#[tokio::test]
async fn nothing_is_sent_before_a_websocket_is_one() {
    let (folder, _handle) = served(Room::default());
    for early in [
        format!("{UPGRADE}\u{1}"),
        UPGRADE.replacen("Host: x", "Host: x\r\nContent-Length: 5", 1),
        format!(
            "{}{UPGRADE}",
            post(&call(1)).replace("Connection: close\r\n", "")
        ),
    ] {
        let mut socket = connect(&folder).await;
        socket.write_all(early.as_bytes()).await.unwrap();
        let answer = rest(socket).await;
        assert!(answer.contains("HTTP/1.1 400"), "{answer}");
    }
}
