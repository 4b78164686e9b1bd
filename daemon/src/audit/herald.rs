//! Tells the last link to the system journal, which others than the owner of the record keep: who puts database and head
//! file back together is found by it. Best effort: a machine without a system journal is no fault.

use std::{
    os::unix::{ffi::OsStrExt, net::UnixDatagram},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{chain::hex, head::Head};

/// Between two lines while runs come and go.
const SPACING: Duration = Duration::from_secs(60);
/// Between two attempts where nobody takes one: most machines that have no system journal get none later.
const RETRY: Duration = Duration::from_secs(1);

/// Speaks the journal's native protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL>).
#[derive(Debug)]
pub(super) struct Herald {
    /// Where the journal listens; `None`: nobody is told.
    socket: Option<PathBuf>,
    /// The record.
    file: PathBuf,
    told: Option<(Instant, u64)>,
    /// The last attempt that failed.
    failed: Option<Instant>,
}

impl Herald {
    /// For the record at `file`.
    pub(super) fn new(socket: Option<PathBuf>, file: &Path) -> Self {
        Self {
            socket,
            file: file.to_owned(),
            told: None,
            failed: None,
        }
    }

    /// The last link, if none was told of late.
    pub(super) fn tell(&mut self, head: &Head) {
        let told = |(at, _): (Instant, u64)| at.elapsed() < SPACING;
        let failed = |at: Instant| at.elapsed() < RETRY;
        if !self.told.is_some_and(told) && !self.failed.is_some_and(failed) {
            self.tell_now(head);
        }
    }

    /// The last link, if it is another than the one that was told last.
    pub(super) fn tell_now(&mut self, head: &Head) {
        if self.told.is_some_and(|(_, seq)| seq == head.seq) {
            return;
        }
        let (seq, link) = (head.seq.to_string(), hex(&head.link));
        let message = format!("audit record: event {seq}, link {link}");
        let fields = [
            ("MESSAGE", message.as_bytes()),
            ("SAFERUN_AUDIT_SEQ", seq.as_bytes()),
            ("SAFERUN_AUDIT_LINK", link.as_bytes()),
        ];
        let now = Instant::now();
        if self.send(&fields) {
            (self.told, self.failed) = (Some((now, head.seq)), None);
        } else {
            self.failed = Some(now);
        }
    }

    /// A record begins at this place: what was told of one before it is of another.
    pub(super) fn begun(&self) {
        self.send(&[
            ("MESSAGE", b"audit record: a new one begins"),
            ("SAFERUN_AUDIT_BEGUN", b"1"),
        ]);
    }

    fn send(&self, fields: &[(&str, &[u8])]) -> bool {
        let Some(socket) = &self.socket else {
            return false;
        };
        let always: [(&str, &[u8]); 3] = [
            ("PRIORITY", b"6"),
            ("SYSLOG_IDENTIFIER", b"saferund"),
            ("SAFERUN_AUDIT_FILE", self.file.as_os_str().as_bytes()),
        ];
        let mut datagram = Vec::new();
        for (name, value) in fields.iter().chain(&always) {
            field(&mut datagram, name, value);
        }
        let sent = UnixDatagram::unbound().and_then(|from| {
            from.set_nonblocking(true)?;
            from.send_to(&datagram, socket)
        });
        sent.is_ok()
    }
}

/// One field; a value with a line feed in it goes with its length.
fn field(datagram: &mut Vec<u8>, name: &str, value: &[u8]) {
    datagram.extend_from_slice(name.as_bytes());
    if value.contains(&b'\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value);
    datagram.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_is_told_once_and_a_storm_of_them_at_most_once_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let journal = UnixDatagram::bind(&socket).unwrap();
        journal.set_nonblocking(true).unwrap();
        let next = || {
            let mut datagram = [0; 2000];
            let length = journal.recv(&mut datagram).ok()?;
            Some(String::from_utf8_lossy(&datagram[..length]).into_owned())
        };
        let mut herald = Herald::new(Some(socket), Path::new("/state/a\nb.sqlite"));
        herald.begun();
        assert!(next().unwrap().contains("SAFERUN_AUDIT_BEGUN=1\n"));
        let mut head = Head::EMPTY;
        for seq in 1..=50 {
            head.seq = seq;
            herald.tell(&head);
        }
        let told = next().unwrap();
        assert_eq!(
            told,
            format!(
                "MESSAGE=audit record: event 1, link {zeros}\nSAFERUN_AUDIT_SEQ=1\nSAFERUN_AUDIT_LINK={zeros}\nPRIORITY=6\nSYSLOG_IDENTIFIER=saferund\nSAFERUN_AUDIT_FILE\n\u{11}\0\0\0\0\0\0\0/state/a\nb.sqlite\n",
                zeros = "0".repeat(64)
            )
        );
        assert_eq!(next(), None);
        herald.tell_now(&head);
        assert!(next().unwrap().contains("SAFERUN_AUDIT_SEQ=50\n"));
        herald.tell_now(&head);
        assert_eq!(next(), None);
    }

    #[test]
    fn a_journal_that_is_not_there_or_full_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let mut herald = Herald::new(Some(socket.clone()), Path::new("/r"));
        herald.tell_now(&Head::EMPTY);
        assert_eq!(herald.told, None);
        let full = UnixDatagram::bind(&socket).unwrap();
        let told = |herald: &Herald| herald.told.map_or(0, |(_, seq)| seq);
        for seq in 1..5_000 {
            herald.tell_now(&Head { seq, ..Head::EMPTY });
        }
        // What was not taken counts as not told.
        assert!((1..4_999).contains(&told(&herald)), "{}", told(&herald));
        let mut datagram = [0; 2000];
        full.set_nonblocking(true).unwrap();
        while full.recv(&mut datagram).is_ok() {}
        let last = Head {
            seq: 6_000,
            ..Head::EMPTY
        };
        herald.tell_now(&last);
        assert_eq!(told(&herald), 6_000);
        assert!(full.recv(&mut datagram).is_ok());
    }
}
