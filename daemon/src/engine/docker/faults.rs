//! Tests against a scripted engine on a Unix socket that hangs, lies, refuses and breaks off.

use std::{path::PathBuf, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};

use super::*;

/// What the engine does with one request.
#[derive(Clone)]
enum Act {
    /// Never answers.
    Hang,
    /// Says exactly this and closes.
    Say(String),
}

fn answer(status: &str, body: &str) -> Act {
    Act::Say(format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

struct Fake {
    engine: DockerEngine,
    _folder: tempfile::TempDir,
}

/// An engine that answers `/version`, and every other request with what `script` makes of its
/// number and its first line.
fn fake(script: impl Fn(usize, &str) -> Act + Send + 'static) -> Fake {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let mut number = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let count = stream.read(&mut request).await.unwrap();
            let text = String::from_utf8_lossy(&request[..count]).into_owned();
            let line = text.lines().next().unwrap_or_default();
            let act = if line.starts_with("GET /version") {
                answer("200 OK", r#"{"ApiVersion":"1.41","Version":"20.10"}"#)
            } else {
                number += 1;
                script(number - 1, line)
            };
            tokio::spawn(async move {
                match act {
                    Act::Hang => std::future::pending().await,
                    Act::Say(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap_or(()),
                }
            });
        }
    });
    let engine = DockerEngine::connect(&format!("unix://{}", path.display()), PathBuf::new());
    Fake {
        engine,
        _folder: folder,
    }
}

#[tokio::test]
async fn an_engine_that_hangs_costs_one_deadline_and_no_more() {
    let fake = fake(|_, _| Act::Hang);
    let begun = std::time::Instant::now();
    let error = fake.engine.capabilities().await.unwrap_err();
    assert!(matches!(error, EngineError::Deadline { .. }), "{error}");
    assert!(begun.elapsed() < ASK + Duration::from_secs(2));
}

#[tokio::test]
async fn garbage_is_an_error_in_our_words() {
    for garbage in [
        "\u{1b}[2J not HTTP at all\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n[{\"Id\":".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[1,2]".to_owned(),
        String::new(),
    ] {
        let said = garbage.clone();
        let fake = fake(move |_, _| Act::Say(said.clone()));
        let error = fake.engine.images().await.unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{garbage:?}: {error}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_before_it_fills_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (told, mut sent) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                // What comes before the request is no answer to it.
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(stream.read_u8().await.unwrap());
                }
                let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                stream.write_all(head).await.unwrap();
                let piece = [&b"10000\r\n"[..], vec![b' '; 0x10000].as_slice(), b"\r\n"].concat();
                let mut count = 0_u64;
                while stream.write_all(&piece).await.is_ok() {
                    count += 0x10000;
                }
                told.send(count).await.unwrap();
            });
        }
    });
    let engine = DockerEngine::connect(&format!("unix://{}", path.display()), PathBuf::new());
    let error = engine.images().await.unwrap_err().to_string();
    assert!(error.contains("longer than 16 MiB"), "{error}");
    let sent = sent.recv().await.unwrap();
    assert!(sent < 32 << 20, "{sent} bytes were taken");
}

#[tokio::test]
async fn a_refusal_loses_its_escape_sequences() {
    let fake = fake(|_, _| answer("500 Oops", r#"{"message":"disk\u001b[2J full"}"#));
    let error = fake.engine.images().await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the container engine could not list images: disk [2J full"
    );
}

#[tokio::test]
async fn a_removal_already_in_progress_is_waited_for() {
    let fake = fake(|number, _| match number {
        0 => answer(
            "409 Conflict",
            r#"{"message":"removal of container x is already in progress"}"#,
        ),
        1 => answer("500 Oops", r#"{"message":"device or resource busy"}"#),
        _ => answer("404 Not Found", r#"{"message":"No such container: x"}"#),
    });
    let docker = fake.engine.client().await.unwrap();
    remove::container(docker, "unix:///x", "x").await.unwrap();
}

#[tokio::test]
async fn a_container_with_our_name_but_not_our_label_is_left_alone() {
    let fake = fake(|_, line| {
        assert!(
            line.starts_with("GET /containers/saferun-a/json"),
            "touched it: {line}"
        );
        answer(
            "200 OK",
            r#"{"Id":"0123","Name":"/saferun-a","Config":{"Labels":{"org.saferun.instance":"other"}}}"#,
        )
    });
    let left = Leftover {
        name: "saferun-a".to_owned(),
        id: None,
    };
    assert!(!fake.engine.remove_leftover(&left, "ours").await.unwrap());
}

#[tokio::test]
async fn a_container_that_cannot_be_started_is_removed() {
    let (told, mut asked) = tokio::sync::mpsc::channel(16);
    let fake = fake(move |_, line| {
        told.try_send(line.split(' ').take(2).collect::<Vec<_>>().join(" "))
            .unwrap();
        match line {
            line if line.starts_with("GET /info") => answer("200 OK", "{}"),
            line if line.starts_with("POST /containers/create") => {
                answer("201 Created", r#"{"Id":"abc","Warnings":[]}"#)
            }
            line if line.starts_with("DELETE ") => {
                Act::Say("HTTP/1.1 204 No Content\r\n\r\n".to_owned())
            }
            line if line.starts_with("GET /containers/abc/json") => {
                answer("404 Not Found", r#"{"message":"No such container: abc"}"#)
            }
            _ => answer("500 Oops", r#"{"message":"no"}"#),
        }
    });
    let template = Template {
        runtime: "runc".to_owned(),
        image: "sha256:0".to_owned(),
        memory_bytes: 1 << 27,
        cpu_millis: 1000,
        pids: 64,
        tmpfs_bytes: 1 << 20,
        open_files: 64,
        writable: crate::engine::Folders::ALL,
        unheld: crate::engine::Unheld::default(),
    };
    let identity = Identity {
        name: "saferun-a".to_owned(),
        instance: "i".to_owned(),
        uid: 7,
    };
    let error = fake
        .engine
        .launch(&template, &identity)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(
            error,
            EngineError::Refused {
                action: "attach to a container",
                ..
            }
        ),
        "{error}"
    );
    let mut lines = Vec::new();
    while let Ok(line) = asked.try_recv() {
        lines.push(line);
    }
    let removed = lines
        .iter()
        .position(|line| line.starts_with("DELETE /containers/abc"));
    assert_eq!(removed, Some(lines.len() - 2), "{lines:?}");
    assert!(lines[lines.len() - 1].starts_with("GET /containers/abc/json"));
}
