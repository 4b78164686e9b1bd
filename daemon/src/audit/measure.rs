//! A record of many runs and how long it takes to read: for `make bench-record`, not part of the daemon.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use saferun_protocol::{
    Asked, ClientKind, Finding, HistoryQuery, Integrity, Outcome, Position, Range, Risk, RunResult,
};

use super::{
    Audit, AuditError, NewEvent, chain,
    entry::{Call, EndHead, StartHead},
    herald::Herald,
    store::Store,
};

/// How often each question is asked; the middle one counts.
const ROUNDS: usize = 11;
/// Runs of one commit, as of a daemon that is busy.
const BATCH: usize = 32;

/// What one measurement came to.
#[derive(Debug)]
pub struct Figure {
    /// What was done.
    pub what: &'static str,
    /// How long the middle one took.
    pub median: Duration,
    /// How long the longest took.
    pub longest: Duration,
}

/// Makes a record of so many runs, each of `source` and so much output, and measures the reading of it.
///
/// # Errors
/// What kept the record from being written or read, or that it did not verify.
pub fn measure(
    path: &Path,
    runs: u64,
    source: &[u8],
    output: &[u8],
) -> Result<Vec<Figure>, String> {
    let text = |error: AuditError| error.to_string();
    let began = Instant::now();
    let mut store = Store::open(path, 0, Herald::new(None, path)).map_err(text)?;
    store.seal([7; 32], 0).map_err(|error| error.to_string())?;
    let mut events = Vec::new();
    let mut last = String::new();
    for number in 0..runs {
        last = uuid::Uuid::now_v7().to_string();
        events.extend(run(&last, number, source, output));
        if events.len() >= BATCH * 2 || number + 1 == runs {
            store.append(&events).map_err(|error| error.to_string())?;
            events.clear();
        }
    }
    drop(store);
    let wrote = began.elapsed();
    let audit = Audit::open(path.to_owned(), None).map_err(|error| error.to_string())?;
    let history = |query: HistoryQuery| audit.history(1000, &query).map_err(text);
    let asking = |change: fn(&mut HistoryQuery)| {
        let mut query = HistoryQuery::default();
        change(&mut query);
        query
    };
    let prefix = last[..13].to_owned();
    let mut figures = vec![Figure {
        what: "write all of it, 32 runs a commit",
        median: wrote,
        longest: wrote,
    }];
    figures.push(timed("history, the last 20", || {
        history(asking(|_| ())).map(drop)
    })?);
    figures.push(timed("history --risk HIGH", || {
        history(asking(|query| query.risk = Some(Risk::High))).map(drop)
    })?);
    figures.push(timed(
        "history --file, of which there is one in 1000",
        || history(asking(|query| query.file = Some("rare".to_owned()))).map(drop),
    )?);
    figures.push(timed(
        "history --text, of which there is none: all are read",
        || history(asking(|query| query.text = Some("no such text".to_owned()))).map(drop),
    )?);
    figures.push(timed("history by the start of an id", || {
        let mut query = HistoryQuery::default();
        query.id = Some(prefix.clone());
        history(query).map(drop)
    })?);
    figures.push(timed("show one run", || {
        audit
            .record(1000, &last)
            .map_err(text)?
            .map(drop)
            .ok_or_else(|| "it is gone".to_owned())
    })?);
    let began = Instant::now();
    let report = audit
        .verify(Some(&chain::hex(&[7; 32])), &[])
        .map_err(text)?;
    let took = began.elapsed();
    if report.verdict != Integrity::Untampered || report.events < runs * 2 {
        return Err(format!("it does not verify: {report:?}"));
    }
    figures.push(Figure {
        what: "history verify --key, chain, bodies and seal",
        median: took,
        longest: took,
    });
    Ok(figures)
}

fn timed(
    what: &'static str,
    mut work: impl FnMut() -> Result<(), String>,
) -> Result<Figure, String> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        work()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(Figure {
        what,
        median: times[ROUNDS / 2],
        longest: times[ROUNDS - 1],
    })
}

fn run(id: &str, number: u64, source: &[u8], output: &[u8]) -> [NewEvent; 2] {
    // No two alike, so that compression has what it has in life.
    let source = [format!("# run {number}\n").as_bytes(), source].concat();
    let risk = if number % 10 == 0 {
        Risk::High
    } else {
        Risk::Low
    };
    let mut result = RunResult::new(id.to_owned(), Outcome::Completed, "it ended".to_owned());
    result.exit_code = Some(0);
    result.risk = risk;
    let at = |column| Position { line: 3, column };
    let range = Range {
        start: at(1),
        end: at(20),
    };
    result.findings = vec![Finding::new(
        "SR201".to_owned(),
        "shell-command".to_owned(),
        risk,
        "runs the shell command `ls`".to_owned(),
        range,
    )];
    let json = |value: &RunResult| serde_json::to_vec(value).unwrap_or_default();
    let call = Call {
        asked: Some(Asked::default()),
        ..Call::default()
    };
    let start = StartHead {
        client: ClientKind::Terminal,
        file_name: if number % 1000 == 0 {
            "rare.py"
        } else {
            "script.py"
        }
        .to_owned(),
        code_sha256: chain::hex(&chain::digest(&source)),
        risk,
        rules: vec!["SR201 shell-command".to_owned()],
        policy: "default".to_owned(),
        policy_hash: "0".repeat(64),
        verdict: "Allow".to_owned(),
        overridden: false,
        override_reason: None,
        image: format!("sha256:{}", "0".repeat(64)),
        args: String::new(),
        source_exact: true,
        redactions: 0,
        bodies: std::collections::BTreeMap::default(),
    };
    let mut end = EndHead::interrupted();
    (end.outcome, end.exit_code, end.wall_ms) = (Outcome::Completed, Some(0), 12.0);
    "it ended".clone_into(&mut end.message);
    end.output_kept = true;
    let now = i64::try_from(number).unwrap_or(i64::MAX);
    [
        start.event(
            id.to_owned(),
            1000,
            now,
            vec![
                ("call", serde_json::to_vec(&call).unwrap_or_default()),
                ("before", json(&result)),
                ("source", source),
            ],
        ),
        end.event(
            id.to_owned(),
            1000,
            now,
            vec![("result", json(&result)), ("stdout", output.to_vec())],
        ),
    ]
}
