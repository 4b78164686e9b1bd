//! The file of the rate counters: one row for each run that was let in, so that a daemon that was killed knows them.

use std::path::Path;

use rusqlite::{Connection, params};
use saferun_policy::{ClientKind, RateWindows};

/// Rows and the longest windows in which they count.
pub(super) struct RatesFile {
    connection: Connection,
}

impl RatesFile {
    /// Opens or makes the file.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Survives the end of the daemon, which is what is promised; not the loss of power.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS runs (
                uid INTEGER NOT NULL, client TEXT NOT NULL, at_ms INTEGER NOT NULL,
                code TEXT NOT NULL, until_ms INTEGER NOT NULL);
             CREATE INDEX IF NOT EXISTS runs_until ON runs (until_ms);
             CREATE TABLE IF NOT EXISTS horizons (uid INTEGER PRIMARY KEY, horizon TEXT NOT NULL);",
        )?;
        Ok(Self { connection })
    }

    /// The counters as of this time. Rows from the future count as made now: the clock was put back meanwhile, and
    /// they must neither be forgotten nor count for longer than their window.
    pub(super) fn windows(&self, now: u64) -> rusqlite::Result<RateWindows> {
        self.connection.execute(
            "UPDATE runs SET at_ms = ?1, until_ms = ?1 + until_ms - at_ms WHERE at_ms > ?1",
            params![i64::try_from(now).unwrap_or(i64::MAX)],
        )?;
        let mut windows = RateWindows::default();
        let mut horizons = self
            .connection
            .prepare("SELECT uid, horizon FROM horizons")?;
        let rows = horizons.query_map([], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
        })?;
        for row in rows {
            let (uid, horizon) = row?;
            // What cannot be read is learned again with the next run.
            if let Ok(horizon) = serde_json::from_str(&horizon) {
                windows.set_horizon(uid, horizon);
            }
        }
        let mut runs = self
            .connection
            .prepare("SELECT uid, client, at_ms, code FROM runs ORDER BY at_ms, rowid")?;
        let rows = runs.query_map([], |row| {
            let (uid, client, at, code): (u32, String, i64, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((uid, client, u64::try_from(at).unwrap_or(0), code))
        })?;
        for row in rows {
            let (uid, client, at, code) = row?;
            let client = ClientKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == client);
            windows.restore(at.min(now), uid, client.unwrap_or_default(), &code);
        }
        Ok(windows)
    }

    /// Writes down a run that was let in, and forgets those that count no more.
    pub(super) fn record(
        &mut self,
        now: u64,
        uid: u32,
        client: ClientKind,
        code: &str,
        windows: &RateWindows,
    ) -> rusqlite::Result<()> {
        let horizon = windows.horizon(uid);
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let until = signed(now.saturating_add(horizon.longest()));
        let text = serde_json::to_string(&horizon).unwrap_or_default();
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "DELETE FROM runs WHERE until_ms <= ?1",
            params![signed(now)],
        )?;
        transaction.execute(
            "INSERT INTO runs (uid, client, at_ms, code, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![uid, client.as_str(), signed(now), code, until],
        )?;
        transaction.execute(
            "INSERT INTO horizons (uid, horizon) VALUES (?1, ?2)
             ON CONFLICT (uid) DO UPDATE SET horizon = ?2 WHERE horizon <> ?2",
            params![uid, text],
        )?;
        transaction.commit()
    }
}
