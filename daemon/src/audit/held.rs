//! Files of users that the watch put in quarantine, and those it brought back: an event before each change of a mode.

use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::{Audit, AuditError, NewEvent, entry::Kind, now_ms, store::connect};

/// What a quarantine changes, and all that is needed to bring it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Absolute path, or `base64:` and its bytes where it is no UTF-8 text: the key by which it is found again.
    pub(crate) file: String,
    /// Permission bits before.
    pub(crate) mode: u32,
    /// SHA-256 of the content, in hexadecimal.
    pub(crate) sha256: String,
    /// The rules that were found.
    pub(crate) rules: Vec<String>,
}

impl Audit {
    /// Records a quarantine (or, with `released`, its end). To be called before the mode is changed.
    pub(crate) async fn hold(
        &self,
        uid: u32,
        held: &Held,
        released: bool,
    ) -> Result<(), AuditError> {
        let kind = if released {
            Kind::Release
        } else {
            Kind::Quarantine
        };
        let event = NewEvent::new(kind, String::new(), uid, now_ms(), held, Vec::new());
        self.append(event.durable(true)).await.map(drop)
    }

    /// The newest quarantine of a file by this uid's daemon. Blocks.
    pub(crate) fn held(&self, uid: u32, file: &str) -> Result<Option<Held>, AuditError> {
        let sqlite = |error: rusqlite::Error| AuditError::at(&self.path, &error);
        let connection = connect(&self.path, true).map_err(sqlite)?;
        let found: Option<String> = connection
            .query_row(
                "SELECT head FROM events WHERE uid=?1 AND kind=?2 AND json_extract(head, '$.file')=?3
                 ORDER BY seq DESC LIMIT 1",
                (uid, Kind::Quarantine.number(), file),
                |row| row.get(0),
            )
            .optional()
            .map_err(sqlite)?;
        Ok(found.and_then(|head| serde_json::from_str(&head).ok()))
    }
}
