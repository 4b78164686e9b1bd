//! One round over everything: each subject once, in turns, so that a slow moment of the machine meets all of them.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use saferun_scanner::{Options, scan as scan_text};

use crate::texts::Text;

/// Another program that scans a folder.
pub(crate) struct Tool {
    pub(crate) name: String,
    program: String,
    arguments: Vec<String>,
}

impl Tool {
    /// From `NAME=PROGRAM ARGUMENT...`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, command) = text
            .split_once('=')
            .ok_or(format!("{text} is not NAME=PROGRAM ARGUMENT..."))?;
        let mut words = command.split_whitespace().map(str::to_owned);
        Ok(Self {
            name: name.to_owned(),
            program: words.next().ok_or(format!("{name} has no program"))?,
            arguments: words.collect(),
        })
    }

    /// How long it takes for a folder; `None` if it cannot be started.
    fn run(&self, folder: &str) -> Option<Duration> {
        let start = Instant::now();
        Command::new(&self.program)
            .args(&self.arguments)
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        Some(start.elapsed())
    }
}

/// Times of all rounds, one list for each subject.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) bare: [Vec<Duration>; 2],
    pub(crate) scan: [Vec<Duration>; 2],
    /// The scan of trees that stand already.
    pub(crate) reused: Vec<Duration>,
    pub(crate) tools: Vec<(String, Vec<Duration>)>,
}

impl Times {
    pub(crate) fn round(&mut self, texts: &[Text], folder: &str, tools: &[Tool], round: usize) {
        for threads in [1, 2] {
            self.bare[threads - 1].push(bare(texts, threads));
            self.scan[threads - 1].push(scan(texts, threads));
        }
        self.reused.push(reused(texts));
        for tool in tools {
            let known = self.tools.iter().position(|(name, _)| *name == tool.name);
            let at = known.unwrap_or_else(|| {
                self.tools.push((tool.name.clone(), Vec::new()));
                self.tools.len() - 1
            });
            // What takes most of a minute says the same in the first rounds.
            let slow = self.tools[at].1.iter().any(|time| time.as_secs() > 10);
            if !(slow && round > 1)
                && let Some(time) = tool.run(folder)
            {
                self.tools[at].1.push(time);
            }
        }
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
