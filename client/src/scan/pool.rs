//! Work over many files on several threads, where one that crashes hides nothing of the others: its thread reports
//! the crash and stays where it is, and another takes its place. That holds for programs that abort on a panic too.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
};

use saferun_guard::told;

/// What became of one file.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    /// The work came to its end.
    Done(T),
    /// The program has a bug that this file meets: the file, and what the program said.
    Crashed(PathBuf, String),
}

/// Does the work for each file, in any order.
pub(crate) fn each<T: Send + 'static>(
    files: Vec<PathBuf>,
    work: impl Fn(&Path) -> T + Send + Sync + 'static,
) -> Vec<Outcome<T>> {
    let count = files.len();
    let files = Arc::new(files);
    let next = Arc::new(AtomicUsize::new(0));
    let work = Arc::new(work);
    let (send, receive) = channel();
    let start = || {
        let (files, next, work, send) = (
            Arc::clone(&files),
            Arc::clone(&next),
            Arc::clone(&work),
            send.clone(),
        );
        thread::spawn(move || run(&files, &next, &*work, &send));
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..threads.min(count) {
        start();
    }
    let mut outcomes = Vec::with_capacity(count);
    while outcomes.len() < count {
        let Ok(outcome) = receive.recv() else { break };
        if matches!(outcome, Outcome::Crashed(..)) {
            start();
        }
        outcomes.push(outcome);
    }
    outcomes
}

fn run<T: Send + 'static>(
    files: &[PathBuf],
    next: &AtomicUsize,
    work: &(impl Fn(&Path) -> T + ?Sized),
    send: &Sender<Outcome<T>>,
) {
    while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        let report = {
            let (send, path) = (send.clone(), path.clone());
            move |message| {
                // Whoever waits for it may be gone, as after Ctrl-C.
                let _ = send.send(Outcome::Crashed(path.clone(), message));
            }
        };
        let done = told(report, || work(path));
        if send.send(Outcome::Done(done)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_hides_nothing_of_the_other_files() {
        let names: Vec<PathBuf> = (0..50).map(|n| PathBuf::from(format!("{n}.py"))).collect();
        let outcomes = each(names, |path| {
            assert!(!path.to_string_lossy().starts_with('3'), "a bug");
            path.to_owned()
        });
        let crashed: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Crashed(path, message) => Some((path.clone(), message.clone())),
                Outcome::Done(_) => None,
            })
            .collect();
        assert_eq!(outcomes.len(), 50);
        assert_eq!(crashed.len(), 11);
        assert!(crashed.iter().all(|(_, message)| message.contains("a bug")));
    }

    #[test]
    fn no_file_is_no_work() {
        assert!(each(Vec::new(), |_| ()).is_empty());
    }
}
