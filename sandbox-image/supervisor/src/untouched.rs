//! Whether a run was here before: a container serves one alone, so before the first each place to write to is empty, and
//! there is no process but the supervisor. Looks only; the daemon judges.

use std::fs;
use std::io;
use std::path::Path;

use crate::places::Places;

/// Of what is beyond that only that there is more is told.
const TOLD: usize = 8;

/// Everything that stands in the places that a run can write to, and each process beside PID 1.
pub(crate) fn left_behind(places: &Places) -> Vec<String> {
    let mut folders = vec![Path::new("/tmp"), Path::new("/dev/shm")];
    folders.extend([places.workspace.as_path(), places.out.as_path()]);
    folders.extend(places.home_folder.as_deref());
    folders.sort_unstable();
    folders.dedup();
    let mut found = processes(Path::new("/proc"));
    found.extend(folders.into_iter().flat_map(entries));
    shortened(found)
}

fn shortened(mut found: Vec<String>) -> Vec<String> {
    if found.len() > TOLD {
        found.truncate(TOLD);
        found.push("and more".to_owned());
    }
    found
}

/// What cannot be looked at is told like something that is there.
fn entries(folder: &Path) -> Vec<String> {
    match fs::read_dir(folder) {
        // One more than is told of all, so that a full folder is not read to its end.
        Ok(entries) => entries
            .take(TOLD + 1)
            .map(|entry| match entry {
                Ok(entry) => entry.path().display().to_string(),
                Err(error) => format!("{} ({error})", folder.display()),
            })
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => vec![format!("{} ({error})", folder.display())],
    }
}

fn processes(proc: &Path) -> Vec<String> {
    let unread = || format!("{} (cannot be read)", proc.display());
    let Ok(entries) = fs::read_dir(proc) else {
        return vec![unread()];
    };
    entries
        .filter_map(|entry| match entry {
            Ok(entry) => {
                let pid = entry.file_name().to_str()?.parse::<u32>().ok()?;
                (pid != 1).then(|| format!("process {pid}"))
            }
            Err(_) => Some(unread()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_and_each_process_is_told_and_what_cannot_be_read() {
        let base = tempfile::tempdir().expect("a folder");
        let path = |name: &str| base.path().join(name);
        fs::create_dir(path("empty")).expect("a folder");
        assert_eq!(entries(&path("empty")), Vec::<String>::new());
        assert_eq!(entries(&path("missing")), Vec::<String>::new());
        fs::write(path("empty/.canary"), "").expect("a file");
        assert_eq!(
            entries(&path("empty")),
            [path("empty/.canary").display().to_string()]
        );
        let file = entries(&path("empty/.canary"));
        assert!(file[0].contains(".canary ("), "{file:?}");

        for name in ["proc", "proc/1", "proc/self", "proc/sys"] {
            fs::create_dir(path(name)).expect("a folder");
        }
        assert_eq!(processes(&path("proc")), Vec::<String>::new());
        fs::create_dir(path("proc/7")).expect("a folder");
        assert_eq!(processes(&path("proc")), ["process 7"]);
        assert_eq!(processes(&path("missing")).len(), 1);
    }

    #[test]
    fn of_many_things_some_are_told_and_that_there_are_more() {
        let found = |count: usize| vec!["/tmp/canary".to_owned(); count];
        assert_eq!(shortened(found(TOLD)), found(TOLD));
        let told = shortened(found(TOLD + 1));
        let (last, first) = told.split_last().expect("something");
        assert_eq!((last.as_str(), first), ("and more", &found(TOLD)[..]));
    }
}
