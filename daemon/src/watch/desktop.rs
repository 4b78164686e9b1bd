//! Tells the desktop: by the desktop's own `gdbus`, started with arguments and never by a shell.
//! A D-Bus library would bring dozens of crates into the daemon for this one call.

use std::{os::unix::ffi::OsStrExt, path::Path, process::Stdio, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{shared::Shared, survey::hexadecimal};

/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest text that is told, in characters.
const LONGEST: usize = 300;
/// Notifications that wait for a desktop that is slow.
const QUEUE: usize = 64;

/// One notification.
struct Note {
    shared: Arc<Shared>,
    id: String,
    title: String,
    body: String,
}

/// The desktop, told by a task of its own: it may be slow, and nothing else waits for it.
pub(super) struct Desktop(mpsc::Sender<Note>);

impl Desktop {
    /// Starts the task.
    pub(super) fn start() -> Self {
        let (queue, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(serve(inbox));
        Self(queue)
    }

    /// Has a notification of a file shown, in place of an earlier one of the same file. Never waits; returns false
    /// where too many wait already.
    pub(super) fn tell(
        &self,
        shared: &Arc<Shared>,
        file: &Path,
        title: String,
        body: String,
    ) -> bool {
        let note = Note {
            shared: Arc::clone(shared),
            id: id(file),
            title,
            body,
        };
        self.0.try_send(note).is_ok()
    }
}

async fn serve(mut inbox: mpsc::Receiver<Note>) {
    // The desktop cannot be told, and that was said.
    let mut mute = false;
    while let Some(note) = inbox.recv().await {
        match notify(&note).await {
            Ok(()) => mute = false,
            Err(_) if mute => {}
            Err(why) => {
                mute = true;
                note.shared.notice(
                    format!("the desktop cannot be told of findings: {why}"),
                    "the watch goes on and shows them; take `notify` out of `watch.on_finding` where there is no desktop",
                );
            }
        }
    }
}

/// Shows a notification through the freedesktop portal, or where there is none through the notification service.
///
/// # Errors
/// What the program said.
async fn notify(note: &Note) -> Result<(), String> {
    if call(&portal(note)).await.is_ok() {
        return Ok(());
    }
    call(&service(&note.title, &note.body)).await
}

/// The portal's name of a notification of this file: another file's does not take its place.
fn id(file: &Path) -> String {
    let hash = hexadecimal(&Sha256::digest(file.as_os_str().as_bytes()));
    format!("saferun-{}", hash.get(..16).unwrap_or(&hash))
}

async fn call(arguments: &[String]) -> Result<(), String> {
    let output = tokio::process::Command::new("gdbus")
        .args(["call", "--session", "--timeout", "3"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(PATIENCE, output).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().next().unwrap_or_default().to_owned())
        }
        Ok(Err(error)) => Err(format!("gdbus cannot be started: {error}")),
        Err(_) => Err("no answer within 5 s".to_owned()),
    }
}

fn portal(note: &Note) -> Vec<String> {
    let contents = format!(
        "{{'title': <{}>, 'body': <{}>, 'priority': <'high'>}}",
        quoted(&note.title),
        quoted(&note.body)
    );
    [
        "--dest=org.freedesktop.portal.Desktop",
        "--object-path=/org/freedesktop/portal/desktop",
        "--method=org.freedesktop.portal.Notification.AddNotification",
        &quoted(&note.id),
        &contents,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn service(title: &str, body: &str) -> Vec<String> {
    // Servers may take the body for markup.
    let escaped = body
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    [
        "--dest=org.freedesktop.Notifications",
        "--object-path=/org/freedesktop/Notifications",
        "--method=org.freedesktop.Notifications.Notify",
        "'SafeRun'",
        "uint32 0",
        "'dialog-warning'",
        &quoted(title),
        &quoted(&escaped),
        "@as []",
        "@a{sv} {}",
        "int32 -1",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A text as `gdbus` reads it. Names of files are a stranger's words: no control character gets through.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(LONGEST).collect();
    let shown = saferun_text::one_line(&shown);
    format!("'{}'", shown.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_notification_of_its_own() {
        assert_eq!(id(Path::new("/w/a.py")), id(Path::new("/w/a.py")));
        assert_ne!(id(Path::new("/w/a.py")), id(Path::new("/w/b.py")));
    }

    #[test]
    fn no_name_of_a_file_gets_out_of_its_quotes() {
        assert_eq!(quoted("a'b\\c\u{202e}d"), "'a\\'b\\\\c\\\\u{202e}d'");
        let arguments = service("t", "<b>'>}");
        assert_eq!(arguments[7], "'&lt;b&gt;\\'&gt;}'");
    }
}
