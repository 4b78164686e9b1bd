//! What a search by text looks through: the words of each event, in lower case, beside the heads. They say nothing that
//! the heads do not; verifying compares the two.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;

use super::entry::Kind;

/// The parts of a head that people search for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spoken<'head> {
    #[serde(borrow)]
    file_name: Cow<'head, str>,
    #[serde(borrow)]
    args: Cow<'head, str>,
    rules: Vec<String>,
    #[serde(borrow)]
    policy: Cow<'head, str>,
    #[serde(borrow)]
    override_reason: Option<Cow<'head, str>>,
    #[serde(borrow)]
    message: Cow<'head, str>,
}

/// The words of an event; `None` where it has none: it is about no run, or its head cannot be read.
pub(super) fn of(kind: i64, head: &str) -> Option<String> {
    let spoken: Spoken<'_> = (kind == Kind::Start.number() || kind == Kind::End.number())
        .then(|| serde_json::from_str(head).ok())
        .flatten()?;
    let rules = spoken.rules.join("\n");
    let reason = spoken.override_reason.unwrap_or_default();
    let pieces = [
        &*spoken.file_name,
        &*spoken.args,
        &*rules,
        &*spoken.policy,
        &*reason,
        &*spoken.message,
    ];
    let pieces: Vec<&str> = pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .collect();
    (!pieces.is_empty()).then(|| folded(&pieces.join("\n")))
}

/// As it is stored and asked for. Of ASCII alone: what is lower case beyond it changes with Unicode, and the words that
/// one version wrote have to be those that another expects.
pub(super) fn folded(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Writes down the words of an event that was just appended.
pub(super) fn add(
    connection: &Connection,
    seq: u64,
    kind: i64,
    run: &str,
    head: &str,
) -> rusqlite::Result<()> {
    let Some(text) = of(kind, head) else {
        return Ok(());
    };
    let start = if kind == Kind::Start.number() {
        Some(seq)
    } else {
        connection
            .prepare_cached("SELECT seq FROM events WHERE run=?1 AND run<>'' AND kind=1")?
            .query_row([run], |row| row.get(0))
            .optional()?
    };
    let Some(start) = start else { return Ok(()) };
    // Whoever cut off the end of the record may have left words there: they must not keep the next event from being
    // recorded.
    connection
        .prepare_cached("INSERT OR REPLACE INTO words VALUES(?1,?2,?3)")?
        .execute((seq, start, text))?;
    Ok(())
}

/// Fills the table of a record that has none yet.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut events = connection
        .prepare("SELECT seq, kind, run, head FROM events WHERE kind IN (1, 2) ORDER BY seq")?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, kind) = (row.get(0)?, row.get(1)?);
        let (run, head) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
        add(connection, seq, kind, run, head)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_search_for_is_there_and_names_of_fields_and_hashes_are_not() {
        let head = r#"{"client":"terminal","file_name":"Ü.py","args":"--All","rules":["SR101 shell-command"],
            "code_sha256":"abcd","policy":"default","override_reason":"Read \"it\"","bodies":{"source":"beef"}}"#;
        let words = of(Kind::Start.number(), head).unwrap();
        assert_eq!(
            words,
            "Ü.py\n--all\nsr101 shell-command\ndefault\nread \"it\""
        );
        let end = of(
            Kind::End.number(),
            r#"{"outcome":"oom","message":"The limit"}"#,
        );
        assert_eq!(end.as_deref(), Some("the limit"));
        assert_eq!(of(Kind::Seal.number(), r#"{"message":"x"}"#), None);
        assert_eq!(of(Kind::End.number(), r#"{"message":""}"#), None);
        assert_eq!(of(Kind::End.number(), "no JSON"), None);
    }
}
