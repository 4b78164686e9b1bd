//! Tells the desktop: by the desktop's own `gdbus`, started with arguments and never by a shell.
//! A D-Bus library would bring dozens of crates into the daemon for this one call.

use std::{process::Stdio, time::Duration};

/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest text that is told, in characters.
const LONGEST: usize = 300;

/// Shows a notification through the freedesktop portal, or where there is none through the notification service.
///
/// # Errors
/// What the program said.
pub(super) async fn notify(title: &str, body: &str) -> Result<(), String> {
    if call(&portal(title, body)).await.is_ok() {
        return Ok(());
    }
    call(&service(title, body)).await
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

fn portal(title: &str, body: &str) -> Vec<String> {
    let contents = format!(
        "{{'title': <{}>, 'body': <{}>, 'priority': <'high'>}}",
        quoted(title),
        quoted(body)
    );
    [
        "--dest=org.freedesktop.portal.Desktop",
        "--object-path=/org/freedesktop/portal/desktop",
        "--method=org.freedesktop.portal.Notification.AddNotification",
        "'saferun-watch'",
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
    fn no_name_of_a_file_gets_out_of_its_quotes() {
        assert_eq!(quoted("a'b\\c\u{202e}d"), "'a\\'b\\\\c\\\\u{202e}d'");
        let arguments = service("t", "<b>'>}");
        assert_eq!(arguments[7], "'&lt;b&gt;\\'&gt;}'");
    }
}
