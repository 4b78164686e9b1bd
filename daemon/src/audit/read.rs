//! Pages of history and single records, read on connections of their own while the writer goes on.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};
use saferun_protocol::{
    HistoryItem, HistoryPage, HistoryQuery, MAX_HISTORY_PAGE, RunRecord, RunResult,
};

use super::{
    Audit, AuditError,
    chain::hex,
    entry::{BodyHashes, Call, EndHead, Kind, StartHead},
    order::{self, Piece},
    store::{connect, unpack},
    words,
};

/// Version of [`RunRecord`].
const FORMAT: u32 = 1;

/// A record with the streams apart, as bytes.
pub(crate) struct Whole {
    pub(crate) record: RunRecord,
    pub(crate) streams: [(Vec<u8>, Option<u64>); 2],
    /// How they were mixed; empty where one of them is, and in records from before it was kept.
    pub(crate) order: Vec<Piece>,
}

impl Audit {
    /// A page of one uid's runs, newest first. Blocks.
    pub(crate) fn history(
        &self,
        uid: u32,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, AuditError> {
        let sqlite = |error: rusqlite::Error| AuditError::at(&self.path, &error);
        let connection = connect(&self.path, true).map_err(sqlite)?;
        page(&connection, uid, query).map_err(sqlite)
    }

    /// Everything of one uid's run. Blocks.
    pub(crate) fn record(&self, uid: u32, id: &str) -> Result<Option<Whole>, AuditError> {
        let sqlite = |error: rusqlite::Error| AuditError::at(&self.path, &error);
        let connection = connect(&self.path, true).map_err(sqlite)?;
        connection.execute_batch("BEGIN").map_err(sqlite)?;
        whole(&connection, uid, id).map_err(sqlite)
    }
}

fn page(connection: &Connection, uid: u32, query: &HistoryQuery) -> rusqlite::Result<HistoryPage> {
    let limit = match query.limit {
        0 => 20,
        limit => limit.min(MAX_HISTORY_PAGE),
    };
    let mut sql = String::from(
        "SELECT s.seq, s.run, s.at_ms, s.head, e.head FROM events s
         LEFT JOIN events e ON e.run=s.run AND e.run<>'' AND e.kind=2 WHERE s.kind=1 AND s.uid=?",
    );
    let mut values: Vec<Value> = vec![uid.into()];
    let mut add = |clause: &str, value: Value| {
        sql.push_str(clause);
        for _ in 0..clause.matches('?').count() {
            values.push(value.clone());
        }
    };
    if let Some(before) = query.before {
        add(
            " AND s.seq < ?",
            i64::try_from(before).unwrap_or(i64::MAX).into(),
        );
    }
    if let Some(since) = query.since_ms {
        add(" AND s.at_ms >= ?", since.into());
    }
    if let Some(until) = query.until_ms {
        add(" AND s.at_ms < ?", until.into());
    }
    if let Some(id) = &query.id {
        // A range, so that the index finds it; ids have no character above `g`.
        add(" AND s.run <> '' AND s.run >= ?", id.clone().into());
        add(" AND s.run < ?", format!("{id}g").into());
    }
    if let Some(risk) = query.risk {
        use saferun_protocol::Risk;
        let levels = [Risk::Low, Risk::Medium, Risk::High, Risk::Blocked];
        let levels: Vec<String> = levels
            .into_iter()
            .filter(|level| *level >= risk)
            .map(|level| level.to_string())
            .collect();
        add(
            " AND instr(?, json_extract(s.head, '$.risk')) > 0",
            levels.join(",").into(),
        );
    }
    if let Some(outcome) = query.outcome {
        let name = serde_json::to_value(outcome).unwrap_or_default();
        let name = name.as_str().unwrap_or_default().to_owned();
        add(" AND json_extract(e.head, '$.outcome') = ?", name.into());
    }
    if let Some(file) = &query.file {
        add(
            " AND instr(json_extract(s.head, '$.file_name'), ?) > 0",
            file.clone().into(),
        );
    }
    if let Some(text) = &query.text {
        add(
            " AND s.seq IN (SELECT start FROM words WHERE instr(text, ?) > 0)",
            words::folded(text).into(),
        );
    }
    add(
        " ORDER BY s.seq DESC LIMIT ?",
        (i64::from(limit) + 1).into(),
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut page = HistoryPage::default();
    let mut last = None;
    while let Some(row) = rows.next()? {
        if page.runs.len() == limit as usize {
            page.next = last;
            break;
        }
        last = Some(row.get(0)?);
        let start: StartHead = head(&row.get::<_, String>(3)?)?;
        let end: Option<EndHead> = row
            .get::<_, Option<String>>(4)?
            .map(|text| head(&text))
            .transpose()?;
        page.runs.push(HistoryItem {
            id: row.get(1)?,
            at_ms: row.get(2)?,
            file_name: start.file_name,
            client: start.client,
            risk: start.risk,
            outcome: end.as_ref().map(|end| end.outcome),
            exit_code: end.as_ref().and_then(|end| end.exit_code),
            wall_ms: end.map_or(0.0, |end| end.wall_ms),
            overridden: start.overridden,
        });
    }
    Ok(page)
}

fn head<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

struct Row {
    seq: u64,
    at_ms: i64,
    head: String,
    hash: Vec<u8>,
}

fn event(connection: &Connection, uid: u32, id: &str, kind: Kind) -> rusqlite::Result<Option<Row>> {
    connection
        .query_row(
            "SELECT seq, at_ms, head, hash FROM events WHERE run=?1 AND run<>'' AND kind=?2 AND uid=?3",
            (id, kind.number(), uid),
            |row| {
                Ok(Row {
                    seq: row.get(0)?,
                    at_ms: row.get(1)?,
                    head: row.get(2)?,
                    hash: row.get(3)?,
                })
            },
        )
        .optional()
}

/// The bodies there are; those that are not there are named.
fn bodies(
    connection: &Connection,
    seq: u64,
    wanted: &BodyHashes,
    gone: &mut Vec<String>,
) -> rusqlite::Result<HashMap<String, Vec<u8>>> {
    let found = connection
        .prepare("SELECT name, deflated, data FROM bodies WHERE seq=?1")?
        .query_map([seq], |row| {
            let data = unpack(row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, data.unwrap_or_default()))
        })?
        .collect::<Result<HashMap<String, Vec<u8>>, _>>()?;
    gone.extend(
        wanted
            .keys()
            .filter(|name| !found.contains_key(*name))
            .cloned(),
    );
    Ok(found)
}

fn whole(connection: &Connection, uid: u32, id: &str) -> rusqlite::Result<Option<Whole>> {
    let Some(start) = event(connection, uid, id, Kind::Start)? else {
        return Ok(None);
    };
    let begun: StartHead = head(&start.head)?;
    let mut gone = Vec::new();
    let mut first = bodies(connection, start.seq, &begun.bodies, &mut gone)?;
    let json = |bytes: Option<&Vec<u8>>| {
        bytes.and_then(|bytes| serde_json::from_slice::<RunResult>(bytes).ok())
    };
    let mut result = json(first.get("before"));
    let call: Call = first
        .get("call")
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default();
    let end = event(connection, uid, id, Kind::End)?;
    let mut streams = [(Vec::new(), None), (Vec::new(), None)];
    let mut order = Vec::new();
    let (mut output_kept, mut output_withheld) = (false, false);
    if let Some(end) = &end {
        let ended: EndHead = head(&end.head)?;
        let mut last = bodies(connection, end.seq, &ended.bodies, &mut gone)?;
        let mut known = json(last.get("result"))
            .or(result)
            .unwrap_or_else(|| RunResult::new(id.to_owned(), ended.outcome, String::new()));
        // The head says how it ended, also where bodies are gone or there were none.
        (known.status, known.exit_code, known.signal) =
            (ended.outcome, ended.exit_code, ended.signal);
        known.message.clone_from(&ended.message);
        known.evidence = known.evidence.or(ended.evidence);
        known.risk = begun.risk;
        known.policy.clone_from(&begun.policy);
        known.policy_hash.clone_from(&begun.policy_hash);
        known.overridden = begun.overridden;
        known.usage.wall_ms = ended.wall_ms;
        result = Some(known);
        (output_kept, output_withheld) = (ended.output_kept, ended.output_withheld);
        let mut stream = |name| last.remove(name).unwrap_or_default();
        let mixed = order::unpack(&stream("order"));
        let kept = [
            (stream("stdout"), ended.gaps[0]),
            (stream("stderr"), ended.gaps[1]),
        ];
        if !ended.output_withheld {
            streams = kept;
            order = mixed.unwrap_or_default();
        }
    }
    let source = first.remove("source");
    let utf8 = source
        .as_ref()
        .is_none_or(|bytes| std::str::from_utf8(bytes).is_ok());
    let record = RunRecord {
        format: FORMAT,
        started_ms: start.at_ms,
        ended_ms: end.as_ref().map(|end| end.at_ms),
        uid,
        client: begun.client,
        file_name: begun.file_name,
        code_sha256: begun.code_sha256,
        source_exact: begun.source_exact && source.is_some() && utf8,
        source: source.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        redactions: begun.redactions,
        args: call.args,
        env: call.env,
        stdin_base64: first.remove("stdin").map(|bytes| {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            STANDARD.encode(bytes)
        }),
        stdin_streamed: call.stdin_streamed,
        files: call.files,
        asked: call.asked,
        output_kept,
        output_withheld,
        override_reason: begun.override_reason,
        decision: call.decision,
        result,
        dropped_bodies: gone,
        seq: start.seq,
        start_hash: hex(&start.hash),
        end_hash: end.map(|end| hex(&end.hash)),
        cleanup: None,
    };
    Ok(Some(Whole {
        record,
        streams,
        order,
    }))
}
