//! Policy files that do not hold: their mistakes are listed whether or not they are open, and a person is told once when
//! a file stops to hold and once when it does again. Decides nothing; the daemon reads the files itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use saferun_policy::{Content, Diagnostics, LayerKind, Source, load};
use saferun_policy_files::{PROJECT_FILE, Places, find_projects, read, variables};
use serde_json::{Value, json};
use tokio::task::JoinError;
use tower_lsp_server::ls_types::{Diagnostic, DiagnosticSeverity, MessageType, Registration, Uri};

use crate::{
    diagnostics::{MOST, of_policy, whole_file},
    position::{Encoding, LineIndex},
    state::{ClientCan, Shared},
    text::{self, one_line},
    workspace,
};

/// Between two looks: an editor writes a file in several steps, and a checkout changes many.
const PAUSE: Duration = Duration::from_millis(500);
/// Folders that are looked at.
const MAX_FOLDERS: usize = 256;

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq)]
struct Fault {
    diagnostics: Vec<Diagnostic>,
    /// For a message, with its line.
    first: String,
}

/// What one look at all policy files found.
#[derive(Debug, Default)]
struct Found {
    faults: BTreeMap<PathBuf, Fault>,
    /// Files that are there.
    there: BTreeSet<PathBuf>,
}

/// Looks at the policy files whenever there may be news of them, until the server ends.
pub(crate) async fn follow(shared: Arc<Shared>) {
    let mut before = BTreeMap::new();
    loop {
        let (folders, encoding) = (shared.folders(), shared.encoding());
        let look = tokio::task::spawn_blocking(move || look(&folders, encoding));
        match look.await {
            Ok(found) => {
                tell(&shared, &before, &found).await;
                before = found.faults;
            }
            // What was listed stays so until the next look.
            Err(error) if error.is_panic() => log(&shared, &error).await,
            Err(_) => return,
        }
        tokio::time::sleep(PAUSE).await;
        shared.policies.news.notified().await;
    }
}

/// Asks a client that can to tell of changes that are made elsewhere.
pub(crate) fn registration(can: ClientCan) -> Option<Registration> {
    can.watch_files.then(|| Registration {
        id: "saferun-policies".to_owned(),
        method: "workspace/didChangeWatchedFiles".to_owned(),
        register_options: Some(json!({"watchers": watchers(can)})),
    })
}

/// The policies of the machine and of the user, whether or not they are there.
fn standing() -> impl Iterator<Item = PathBuf> {
    let places = Places::from_env().ok();
    let standing = places.map(|places| [Some(places.system), places.user]);
    standing.into_iter().flatten().flatten()
}

/// Whether a file is called like a policy: clients tell of other files, too.
pub(crate) fn is_called_like_a_policy(uri: &Uri) -> bool {
    let Some(path) = uri.to_file_path() else {
        return false;
    };
    path.file_name().is_some_and(|name| {
        name == PROJECT_FILE || standing().any(|policy| policy.file_name() == Some(name))
    })
}

fn watchers(can: ClientCan) -> Vec<Value> {
    let mut all = vec![json!({"globPattern": format!("**/{PROJECT_FILE}")})];
    for path in standing() {
        let base = path.parent().and_then(Uri::from_file_path);
        let name = path.file_name().map(|name| name.to_string_lossy());
        match (can.relative_patterns, base, name) {
            (true, Some(base), Some(name)) => {
                all.push(json!({"globPattern": {"baseUri": base, "pattern": name}}));
            }
            _ => all.push(json!({"globPattern": path})),
        }
    }
    all
}

async fn tell(shared: &Shared, before: &BTreeMap<PathBuf, Fault>, found: &Found) {
    for path in before.keys() {
        if !found.faults.contains_key(path) {
            workspace::policy_holds(shared, path).await;
        }
    }
    for (path, fault) in &found.faults {
        workspace::policy_is_wrong(shared, path, fault.diagnostics.clone()).await;
    }
    for (kind, what) in messages(before, found) {
        shared.client.show_message(kind, what).await;
    }
}

async fn log(shared: &Shared, error: &JoinError) {
    let what = format!("SafeRun: could not look at the policy files: {error}");
    let client = &shared.client;
    client
        .log_message(MessageType::ERROR, text::message(&what))
        .await;
}

/// What a person is told: of files that were sound before, and of those that are again. Never of each mistake. Nothing
/// in it is a link: a policy file may have come with the code.
fn messages(before: &BTreeMap<PathBuf, Fault>, found: &Found) -> Vec<(MessageType, String)> {
    let new = found
        .faults
        .iter()
        .filter(|(path, _)| !before.contains_key(*path))
        .map(|(_, fault)| fault.first.clone());
    let mended = before
        .keys()
        .filter(|path| !found.faults.contains_key(*path) && found.there.contains(*path))
        .map(|path| format!("the policy file {} holds again", path.display()));
    [
        (MessageType::WARNING, together(new)),
        (MessageType::INFO, together(mended)),
    ]
    .into_iter()
    .filter_map(|(kind, what)| Some((kind, what?)))
    .collect()
}

/// The first of several sentences, and how many more there are.
fn together(mut sentences: impl Iterator<Item = String>) -> Option<String> {
    let first = text::message(&sentences.next()?);
    let others = match sentences.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    Some(format!("SafeRun: {first}{others}"))
}

/// Reads all policy files that count for these folders. Not for an async thread.
fn look(folders: &[PathBuf], encoding: Encoding) -> Found {
    let mut found = Found::default();
    let Ok(places) = Places::from_env() else {
        return found;
    };
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut groups: BTreeSet<Vec<PathBuf>> = folders
        .iter()
        .take(MAX_FOLDERS)
        .map(|folder| projects(folder, home.as_deref()))
        .collect();
    groups.insert(Vec::new());
    for group in groups {
        found.group(&places, group, encoding);
    }
    found
}

/// The project files of a folder, by the names that the editor has for them where its folder is reached by a link.
fn projects(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let Ok(real) = folder.canonicalize() else {
        return Vec::new();
    };
    let mut names = BTreeMap::new();
    for (target, written) in real.ancestors().zip(folder.ancestors()) {
        names.insert(target.to_owned(), written.to_owned());
        if target.file_name() != written.file_name() {
            break;
        }
    }
    let as_written = |path: PathBuf| match path.parent().and_then(|folder| names.get(folder)) {
        Some(folder) => folder.join(PROJECT_FILE),
        None => path,
    };
    find_projects(folder, home)
        .into_iter()
        .map(as_written)
        .collect()
}

impl Found {
    /// The layers of one folder, each by itself and all together.
    fn group(&mut self, places: &Places, projects: Vec<PathBuf>, encoding: Encoding) {
        let uid = nix::unistd::geteuid().as_raw();
        let mut files = vec![(LayerKind::System, places.system.clone())];
        files.extend(places.user.clone().map(|path| (LayerKind::User, path)));
        files.extend(projects.into_iter().map(|path| (LayerKind::Project, path)));
        let mut sources: Vec<(PathBuf, Source)> = Vec::new();
        for (layer, path) in files {
            match read(layer, &path, uid) {
                Ok(None) => {}
                Ok(Some(source)) => {
                    self.there.insert(path.clone());
                    sources.push((path, source));
                }
                Err(error) => {
                    let first = one_line(&error.to_string());
                    let diagnostic = Diagnostic {
                        severity: Some(DiagnosticSeverity::ERROR),
                        ..whole_file(first.clone())
                    };
                    let diagnostics = vec![diagnostic];
                    self.there.insert(path.clone());
                    self.faults.insert(path, Fault { diagnostics, first });
                }
            }
        }
        let mut all: Vec<Source> = sources.iter().map(|(_, source)| source.clone()).collect();
        all.extend(variables(std::env::vars_os()));
        if let Err(wrong) = load(&all) {
            self.wrong(&sources, &wrong, encoding);
        }
    }

    fn wrong(&mut self, sources: &[(PathBuf, Source)], wrong: &Diagnostics, encoding: Encoding) {
        for (path, source) in sources {
            let Content::Yaml(text) = &source.content else {
                continue;
            };
            let own: Vec<_> = wrong
                .0
                .iter()
                .filter(|found| found.is_error() && found.origin.file == source.name)
                .take(MOST)
                .collect();
            let Some(first) = own.first() else { continue };
            let place = format!("{}:{}", path.display(), first.origin.line.max(1));
            let first = format!(
                "the policy file {} has a mistake and does not hold: {}",
                one_line(&place),
                one_line(&first.message)
            );
            let index = LineIndex::new(text);
            let diagnostics = own
                .into_iter()
                .map(|found| of_policy(found, text, &index, encoding))
                .collect();
            self.faults
                .insert(path.clone(), Fault { diagnostics, first });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(wrong: &[&str], there: &[&str]) -> Found {
        let fault = |path: &&str| {
            let first = format!("{path} is wrong");
            let diagnostics = Vec::new();
            (PathBuf::from(path), Fault { diagnostics, first })
        };
        Found {
            faults: wrong.iter().map(fault).collect(),
            there: there.iter().map(PathBuf::from).collect(),
        }
    }

    #[test]
    fn only_files_that_are_called_like_a_policy_may_be_news_of_one() {
        for (path, may_be) in [
            (format!("/work/{PROJECT_FILE}"), true),
            ("/etc/saferun/policy.yaml".to_owned(), true),
            ("/work/main.py".to_owned(), false),
            (format!("/work/{PROJECT_FILE}.orig"), false),
            (format!("/work/{PROJECT_FILE}/main.py"), false),
        ] {
            let uri = Uri::from_file_path(&path).unwrap();
            assert_eq!(is_called_like_a_policy(&uri), may_be, "{path}");
        }
    }

    #[test]
    fn a_person_is_told_once_of_a_file_that_stops_to_hold_and_once_when_it_does_again() {
        const NONE: &[&str] = &[];
        for (before, now, there, told) in [
            (
                NONE,
                &["a"] as &[&str],
                &["a"] as &[&str],
                &["a is wrong"] as &[&str],
            ),
            (&["a"], &["a"], &["a"], NONE),
            (&["a"], &["a", "b"], &["a", "b"], &["b is wrong"]),
            (
                NONE,
                &["a", "b", "c"],
                &["a", "b", "c"],
                &["a is wrong (and 2 more)"],
            ),
            (&["a"], NONE, &["a"], &["the policy file a holds again"]),
            (&["a"], NONE, NONE, NONE),
            (
                &["a"],
                &["b"],
                &["a", "b"],
                &["b is wrong", "the policy file a holds again"],
            ),
            (NONE, NONE, &["a"], NONE),
        ] {
            let said = messages(&found(before, &[]).faults, &found(now, there));
            let said: Vec<String> = said.into_iter().map(|(_, what)| what).collect();
            let told: Vec<String> = told.iter().map(|told| format!("SafeRun: {told}")).collect();
            assert_eq!(said, told);
        }
    }

    #[test]
    fn no_message_has_a_link_that_a_policy_file_or_its_name_made() {
        let name = "/w/[Mend it](command:workbench.x)\u{202e}/.saferun.yaml";
        let broken = found(&[name], &[name]);
        let sound = found(&[], &[name]);
        let told = messages(&sound.faults, &broken);
        let again = messages(&broken.faults, &sound);
        assert_eq!([told.len(), again.len()], [1, 1]);
        for (_, what) in told.iter().chain(&again) {
            assert!(what.contains("[Mend it] (command:"), "{what}");
            assert!(!what.contains('\u{202e}'), "{what:?}");
        }
    }

    #[test]
    fn the_editors_name_of_a_folder_behind_a_link_is_kept() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        let real = top.join("real/a");
        std::fs::create_dir_all(&real).unwrap();
        std::os::unix::fs::symlink(top.join("real"), top.join("link")).unwrap();
        for folder in [&real, &top.join("real")] {
            std::fs::write(folder.join(PROJECT_FILE), "version: 1\n").unwrap();
        }
        let named = top.join("link/a");
        assert_eq!(
            projects(&named, Some(&top)),
            [
                named.join(PROJECT_FILE),
                top.join("link").join(PROJECT_FILE)
            ]
        );
        assert_eq!(
            projects(&top.join("none"), Some(&top)),
            Vec::<PathBuf>::new()
        );
    }
}
