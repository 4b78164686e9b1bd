//! One round over everything: each subject once, in turns, so that a slow moment of the machine meets all of them.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use saferun_scanner::{Options, scan as scan_text};

use crate::texts::Text;

/// How many cores a program may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cores {
    One,
    All,
}

/// Another program that scans a folder.
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) cores: Cores,
    /// Exit codes of a scan that came to its end.
    codes: Vec<i32>,
    program: String,
    arguments: Vec<String>,
}

/// What a program did for the folder.
struct Done {
    time: Duration,
    /// Files that it says it looked at, where it says so.
    files: Option<usize>,
}

impl Tool {
    /// From `NAME|one or all|CODE CODE...|PROGRAM ARGUMENT...`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split('|').collect();
        let [name, cores, exits, command] = fields[..] else {
            return Err(format!(
                "{text} is not NAME|one or all|CODES|PROGRAM ARGUMENT..."
            ));
        };
        let accepted: Result<Vec<i32>, _> = exits.split_whitespace().map(str::parse).collect();
        let mut words = command.split_whitespace().map(str::to_owned);
        Ok(Self {
            name: name.to_owned(),
            cores: match cores {
                "one" => Cores::One,
                "all" => Cores::All,
                _ => return Err(format!("{name}: {cores} is neither one nor all")),
            },
            codes: accepted.map_err(|error| format!("{name}: {error}"))?,
            program: words.next().ok_or(format!("{name} has no program"))?,
            arguments: words.collect(),
        })
    }

    /// How long it takes for a folder; the reason if that was no whole scan.
    fn run(&self, folder: &str) -> Result<Done, String> {
        let start = Instant::now();
        let output = Command::new(&self.program)
            .args(&self.arguments)
            .arg(folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("it did not start: {error}"))?;
        let time = start.elapsed();
        let said = || {
            let text = String::from_utf8_lossy(&output.stderr);
            let last = text.lines().rev().find(|line| !line.trim().is_empty());
            last.map_or_else(String::new, |line| {
                format!(": {}", line.trim().chars().take(120).collect::<String>())
            })
        };
        match output.status.code() {
            None => return Err(format!("it was killed ({}){}", output.status, said())),
            Some(code) if !self.codes.contains(&code) => {
                return Err(format!("it ended with {code}{}", said()));
            }
            Some(_) => {}
        }
        if output.stdout.trim_ascii().is_empty() {
            return Err(format!("it printed nothing{}", said()));
        }
        Ok(Done {
            time,
            files: looked_at(&output.stdout),
        })
    }
}

/// The number of files in a report: those of `saferunctl scan`, bandit and Semgrep as JSON say it.
fn looked_at(output: &[u8]) -> Option<usize> {
    let report: serde_json::Value = serde_json::from_slice(output).ok()?;
    if let Some(files) = report["files"].as_array() {
        return Some(files.len());
    }
    if let Some(scanned) = report["paths"]["scanned"].as_array() {
        return Some(scanned.len());
    }
    let metrics = report["metrics"].as_object()?;
    Some(metrics.keys().filter(|name| *name != "_totals").count())
}

/// The rounds of one program.
pub(crate) struct ToolTimes {
    pub(crate) name: String,
    pub(crate) cores: Cores,
    pub(crate) rounds: Vec<Duration>,
    pub(crate) files: Option<usize>,
    /// Why it is no subject: one round that failed makes all of its rounds worthless.
    pub(crate) failed: Option<String>,
}

/// Times of all rounds, one list for each subject.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) bare: [Vec<Duration>; 2],
    pub(crate) scan: [Vec<Duration>; 2],
    /// The scan of trees that stand already.
    pub(crate) reused: Vec<Duration>,
    pub(crate) tools: Vec<ToolTimes>,
}

impl Times {
    pub(crate) fn round(&mut self, texts: &[Text], folder: &str, tools: &[Tool], round: usize) {
        for threads in [1, 2] {
            self.bare[threads - 1].push(bare(texts, threads));
            self.scan[threads - 1].push(scan(texts, threads));
        }
        self.reused.push(reused(texts));
        if round == 0 {
            self.tools = tools.iter().map(ToolTimes::new).collect();
        }
        for (tool, times) in tools.iter().zip(&mut self.tools) {
            // What takes most of a minute says the same in the first rounds.
            let slow = times.rounds.iter().any(|time| time.as_secs() > 10);
            if times.failed.is_some() || (slow && round > 1) {
                continue;
            }
            match tool.run(folder) {
                Ok(done) => {
                    times.rounds.push(done.time);
                    times.files = done.files;
                }
                Err(reason) => times.failed = Some(reason),
            }
        }
    }
}

impl ToolTimes {
    fn new(tool: &Tool) -> Self {
        Self {
            name: tool.name.clone(),
            cores: tool.cores,
            rounds: Vec::new(),
            files: None,
            failed: None,
        }
    }

    /// The middle of its rounds, unless it failed.
    pub(crate) fn median(&self) -> Option<Duration> {
        (self.failed.is_none() && !self.rounds.is_empty()).then(|| median(&self.rounds))
    }
}

fn on_threads(
    texts: &[Text],
    threads: usize,
    work: impl Fn(&mut dyn FnMut() -> Option<usize>) + Sync,
) -> Duration {
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut take = || {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    (index < texts.len()).then_some(index)
                };
                work(&mut take);
            });
        }
    });
    start.elapsed()
}

/// tree-sitter alone, with freeing the tree, which every user of it pays.
pub(crate) fn bare(texts: &[Text], threads: usize) -> Duration {
    on_threads(texts, threads, |take| {
        let mut parser = parser();
        while let Some(index) = take() {
            drop(parser.parse(&texts[index].text, None));
        }
    })
}

/// The whole scan, from text to report.
pub(crate) fn scan(texts: &[Text], threads: usize) -> Duration {
    let options = Options::default();
    on_threads(texts, threads, |take| {
        while let Some(index) = take() {
            drop(scan_text(&texts[index].text, &options));
        }
    })
}

/// The scan without the parse: of documents that hold their tree.
fn reused(texts: &[Text]) -> Duration {
    let mut total = Duration::ZERO;
    for one in texts {
        let document = saferun_scanner::Document::new(one.text.as_str(), Options::default());
        let start = Instant::now();
        drop(document.report());
        total += start.elapsed();
    }
    total
}

/// A parser for Python.
pub(crate) fn parser() -> tree_sitter::Parser {
    let mut parser = tree_sitter::Parser::new();
    parser
        .set_language(&tree_sitter::Language::new(tree_sitter_python::LANGUAGE))
        .expect("the grammar fits the library");
    parser
}

/// The middle of some times.
pub(crate) fn median(times: &[Duration]) -> Duration {
    share(times, 0.5)
}

/// The time that this share of all times is below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index into a short list"
)]
pub(crate) fn share(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}
