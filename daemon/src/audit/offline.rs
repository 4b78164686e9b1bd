//! Verifies a copy of the record, without a daemon: whoever keeps the key of a seal elsewhere checks it there, and need
//! not trust the machine that wrote it. The copy is as hostile as anything else that comes from outside.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig, limits::Limit};
use saferun_protocol::{Anchor, VerifyReport};

use super::{
    AuditError,
    check::Stop,
    form::{self, SCHEMA},
    head::HeadFile,
    verify::{Against, Progress, check},
};

/// Longest row that is read, in bytes: more than any output that a policy lets be kept.
const LONGEST_ROW: i32 = 256 * 1024 * 1024;

/// What a copy is held against, and how long that may take.
#[derive(Debug, Clone)]
pub struct CopyCheck {
    /// Key of the seal, in hexadecimal.
    pub key: Option<String>,
    /// Links that were kept elsewhere.
    pub anchors: Vec<Anchor>,
    /// How long it may take.
    pub within: Duration,
}

impl Default for CopyCheck {
    fn default() -> Self {
        Self {
            key: None,
            anchors: Vec::new(),
            within: super::verify::WITHIN,
        }
    }
}

/// Checks the copy at `path` and the file `*.head` beside it. Changes neither; where a log (`-wal`) was copied along,
/// SQLite makes its index (`-shm`) beside it. `progress` is told now and then how many events of how many were looked at.
///
/// # Errors
/// The copy is not there, is no record of SafeRun, cannot be read, or takes too long; its text says what to do.
pub fn verify_copy(
    path: &Path,
    against: &CopyCheck,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport, RecordError> {
    Ok(verify(path, against, progress)?)
}

/// Why a copy could not be verified.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RecordError(#[from] AuditError);

fn verify(
    path: &Path,
    with: &CopyCheck,
    progress: Progress<'_>,
) -> Result<VerifyReport, AuditError> {
    let until = Instant::now() + with.within;
    let unusable = |reason: String| AuditError::Unusable {
        path: path.display().to_string(),
        reason,
    };
    let against = Against::parse(with.key.as_deref(), &with.anchors)?;
    let whole = path
        .canonicalize()
        .map_err(|error| unusable(error.to_string()))?;
    let path = whole.as_path();
    let about = fs::metadata(path).map_err(|error| unusable(error.to_string()))?;
    if !about.is_file() {
        return Err(unusable("it is no regular file".to_owned()));
    }
    let beside = path.with_extension("head");
    let head = HeadFile::open_to_read(&beside).map_err(|error| {
        let name = beside.display();
        unusable(format!(
            "{name}, which holds its last link, cannot be read ({error}): copy audit.head as well, under the record's name"
        ))
    })?;
    let told = head.read();
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let sqlite = |error: rusqlite::Error| AuditError::at(path, &error);
    let connection =
        open(path, fs::metadata(log).is_ok_and(|log| log.len() > 0)).map_err(sqlite)?;
    let found = form::version(&connection).map_err(sqlite)?;
    if found > SCHEMA {
        let path = path.display().to_string();
        return Err(AuditError::Newer { path, found });
    }
    if !is_ours(&connection, found).map_err(sqlite)? {
        return Err(unusable(
            "its tables are not those of a record of SafeRun".to_owned(),
        ));
    }
    check(&connection, told, against, until, progress).map_err(|stop| match stop {
        Stop::Sqlite(error) => sqlite(error),
        Stop::Late => AuditError::Late {
            within: with.within,
        },
    })
}

/// Opens it so that nothing in it is trusted; a log that was copied along is read.
fn open(path: &Path, with_log: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if with_log {
        Connection::open_with_flags(path, flags)?
    } else {
        // Nobody writes to a copy: without this SQLite would want to lock it, and to make files beside it.
        let mut address = String::from("file:");
        for byte in std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()) {
            if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
                address.push(char::from(*byte));
            } else {
                // Writing to a String does not fail.
                let _ = write!(address, "%{byte:02x}");
            }
        }
        address.push_str("?immutable=1");
        Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI)?
    };
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_ROW)?;
    connection.execute_batch("PRAGMA cell_size_check=ON; PRAGMA query_only=ON;")?;
    Ok(connection)
}

/// Whether it has the tables of a record of this version and nothing that a record has not: a view that is called like a table would
/// answer what it likes. A trigger that is missing is no reason not to look.
fn is_ours(connection: &Connection, version: i64) -> rusqlite::Result<bool> {
    let Some(whole) = form::whole(version) else {
        return Ok(false);
    };
    let form = |connection: &Connection| {
        connection
            .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name")?
            .query_map([], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Option<String>>(2)?,
                ))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    let model = Connection::open_in_memory()?;
    model.execute_batch(&whole)?;
    let (found, known) = (form(connection)?, form(&model)?);
    let tables = known.iter().filter(|(kind, ..)| kind == "table");
    Ok(found.iter().all(|object| known.contains(object))
        && tables.into_iter().all(|table| found.contains(table)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_named_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a copy?.sqlite");
        let said = |path: &Path| {
            verify_copy(path, &CopyCheck::default(), &mut |_, _| ())
                .unwrap_err()
                .to_string()
        };
        assert!(said(&path).contains("No such file"), "{}", said(&path));
        assert!(said(folder.path()).contains("no regular file"));
        fs::write(
            &path,
            "not a database, but long enough to be looked at as one",
        )
        .unwrap();
        assert!(said(&path).contains("copy audit.head as well"));
        fs::write(path.with_extension("head"), "").unwrap();
        assert!(said(&path).contains("damaged"), "{}", said(&path));
        fs::remove_file(&path).unwrap();
        let hostile = Connection::open(&path).unwrap();
        hostile
            .execute_batch(
                "CREATE TABLE bodies(seq, name, deflated, data);
                 CREATE VIEW events AS WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n)
                 SELECT seq, 1 AS kind, 0 AS at_ms, 0 AS uid, '' AS run, '' AS head, x'' AS hash, NULL AS tag FROM n;",
            )
            .unwrap();
        drop(hostile);
        assert!(
            said(&path).contains("tables are not those"),
            "{}",
            said(&path)
        );
        let short = CopyCheck {
            key: Some("short".to_owned()),
            ..CopyCheck::default()
        };
        let key = verify_copy(&path, &short, &mut |_, _| ()).unwrap_err();
        assert!(key.to_string().contains("64 hexadecimal digits"));
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["a copy?.head", "a copy?.sqlite"]);
    }
}
