//! Who watches only what a model wrote is told of each kind that the policy recognises, and of nothing else.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use saferun_protocol::{Generated, HostPath, WatchRequest};
use saferun_tests::{Daemon, git, text};

use crate::{BAD, OTHER, Watch, daemon, folder, responses::follows};

/// Watches a folder for what a model wrote alone.
fn generated<'daemon>(daemon: &'daemon Daemon, root: &Path) -> Watch<'daemon> {
    let mut request = WatchRequest::new(vec![HostPath::from(root)]);
    request.only_generated = true;
    Watch::with(daemon, request)
}

fn by(watch: &Watch<'_>, path: &Path) -> Option<Generated> {
    watch.files.get(path)?.generated.clone()
}

/// The commit that a file is compared with, if it counts as new.
fn since(watch: &Watch<'_>, path: &Path) -> Option<String> {
    match by(watch, path)? {
        Generated::Since { commit } => Some(commit),
        other => panic!("{other:?}"),
    }
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
    fs::write(path, content).expect("a file");
}

fn head(root: &Path) -> String {
    git(root, &["rev-parse", "HEAD"])
}

/// Gives the hook an event, as an agent does after one of its tools.
pub(crate) fn hook(daemon: &Daemon, event: &serde_json::Value) {
    let mut command = daemon.cli(&["hook"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the hook starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    write!(stdin, "{event}").expect("it is taken");
    drop(stdin);
    assert!(child.wait().expect("it ends").success(), "{event}");
}

#[test]
fn a_path_a_marker_a_tools_folder_and_a_hook_are_each_recognised_and_nothing_else_is() {
    let (daemon, root) = daemon();
    let scratch = folder(&daemon, "scratch");
    follows(
        &daemon,
        &format!(
            "watch: {{generated: {{paths: ['gen/**'], markers: [by-a-model], folders: [{}, {}]}}}}\n",
            root.join("tool").display(),
            scratch.display(),
        ),
    );
    let mut request = WatchRequest::new(vec![HostPath::from(&*root), HostPath::from(&*scratch)]);
    request.only_generated = true;
    let mut watch = Watch::with(&daemon, request);
    let (listed, marked) = (root.join("gen/a.py"), root.join("marked.py"));
    let (inside, outside) = (root.join("tool/deep/b.py"), scratch.join("c.py"));
    let (person, agent) = (root.join("tools.py"), root.join("agent.py"));
    for file in [&listed, &inside, &outside, &person, &agent] {
        write(file, BAD);
    }
    write(&marked, &format!("# by-a-model\n{BAD}"));
    watch.until("four are told", |watch| watch.files.len() == 4);
    let folder = |path: PathBuf| {
        Some(Generated::Folder {
            folder: path.display().to_string(),
        })
    };
    let (glob, mark) = ("gen/**".to_owned(), "by-a-model".to_owned());
    assert_eq!(by(&watch, &listed), Some(Generated::Path { glob }));
    assert_eq!(
        by(&watch, &marked),
        Some(Generated::Marker { marker: mark })
    );
    assert_eq!(by(&watch, &inside), folder(root.join("tool")));
    assert_eq!(by(&watch, &outside), folder(scratch));

    let mut event = serde_json::json!({"hook_event_name": "PreToolUse", "tool_name": "Write",
        "tool_input": {"file_path": person, "content": "x = 1\n"}});
    // What an agent asks to write is not written yet.
    hook(&daemon, &event);
    event["hook_event_name"] = "PostToolUse".into();
    event["tool_input"]["file_path"] = agent.to_str().into();
    hook(&daemon, &event);
    watch.until("it is told", |watch| watch.has(&agent));
    let tool = "claude".to_owned();
    assert_eq!(by(&watch, &agent), Some(Generated::Announced { tool }));
    assert!(!watch.told.contains_key(&person), "{:?}", watch.told);
}

#[test]
fn what_differs_from_a_commit_counts_and_follows_commits_and_checkouts() {
    let (daemon, root) = daemon();
    git(&root, &["init", "-q", "-b", "main"]);
    let (old, edited, new) = (
        root.join("old.py"),
        root.join("pkg/edited.py"),
        root.join("new.py"),
    );
    write(&old, BAD);
    write(&edited, OTHER);
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "one"]);
    let first = head(&root);
    follows(&daemon, "watch: {generated: {since: HEAD}}\n");
    let mut watch = generated(&daemon, &root);
    assert!(watch.files.is_empty(), "{:?}", watch.names());
    write(&edited, BAD);
    write(&new, BAD);
    watch.until("both are told", |watch| watch.files.len() == 2);
    assert_eq!(since(&watch, &edited).as_ref(), Some(&first));
    assert_eq!(since(&watch, &new).as_ref(), Some(&first));
    // Nothing but HEAD changes.
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "two"]);
    watch.until("none is new any more", |watch| watch.files.is_empty());
    git(&root, &["checkout", "-q", "HEAD^"]);
    write(&new, OTHER);
    watch.until("one is", |watch| {
        watch.files.len() == 1 && since(watch, &new).as_ref() == Some(&first)
    });
    assert!(!watch.told.contains_key(&old), "{:?}", watch.told);
    // Where a branch left another, as for `scan --since`.
    follows(&daemon, "watch: {generated: {since: main}}\n");
    fs::remove_file(&new).unwrap();
    git(&root, &["checkout", "-q", "-b", "other", "main"]);
    git(&root, &["commit", "-q", "--allow-empty", "-m", "three"]);
    write(&old, OTHER);
    watch.until("the edited one alone is new", |watch| {
        watch.names() == ["old.py"] && since(watch, &old) != Some(first.clone())
    });
}

#[test]
fn each_repository_is_asked_for_itself_and_one_without_the_commit_is_all_new() {
    let (daemon, root) = daemon();
    follows(&daemon, "watch: {generated: {since: HEAD}}\n");
    let (inner, empty) = (root.join("inner"), root.join("empty"));
    for top in [&root, &inner] {
        fs::create_dir_all(top).unwrap();
        git(top, &["init", "-q", "-b", "main"]);
        write(&top.join("old.py"), BAD);
        git(top, &["add", "old.py"]);
        git(top, &["commit", "-q", "-m", "one"]);
    }
    fs::create_dir_all(empty.join(".git")).unwrap();
    write(&empty.join("a.py"), BAD);
    // The same content under a name that the commit does not have, and a linked working tree.
    write(&inner.join("copy.py"), BAD);
    let tree = root.join("tree");
    git(
        &root,
        &["worktree", "add", "-q", tree.to_str().unwrap(), "-b", "two"],
    );
    write(&tree.join("b.py"), OTHER);
    let mut watch = generated(&daemon, &root);
    assert_eq!(watch.names(), ["a.py", "copy.py", "b.py"]);
    assert_eq!(since(&watch, &empty.join("a.py")).as_deref(), Some("HEAD"));
    assert_eq!(since(&watch, &inner.join("copy.py")), Some(head(&inner)));
    assert_eq!(since(&watch, &tree.join("b.py")), Some(head(&root)));
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "-q", "-m", "two"]);
    watch.until("its HEAD is followed", |watch| {
        !watch.has(&tree.join("b.py"))
    });
    assert_eq!(watch.names(), ["a.py", "copy.py"]);
    // A folder of a repository, and the notice of one that has no commit.
    write(&root.join("sub/c.py"), BAD);
    let mut below = generated(&daemon, &root.join("sub"));
    assert_eq!(since(&below, &root.join("sub/c.py")), Some(head(&root)));
    git(&root, &["add", "sub"]);
    git(&root, &["commit", "-q", "-m", "three"]);
    below.until("its HEAD is followed", |watch| watch.files.is_empty());
    write(&empty.join("a.py"), OTHER);
    git(&empty, &["init", "-q"]);
    watch.until("that is told", |watch| {
        watch.noticed("git has no commit HEAD")
    });
}

#[test]
fn a_hostile_repository_starts_no_program() {
    let (daemon, root) = daemon();
    git(&root, &["init", "-q", "-b", "main"]);
    write(&root.join("old.py"), BAD);
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "one"]);
    let (trap, mark) = (root.join(".git/trap"), root.join(".git/sprung"));
    fs::write(
        &trap,
        format!("#!/bin/sh\necho sprung > '{}'\ncat\n", mark.display()),
    )
    .unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
    let trap = trap.to_str().unwrap();
    write(&root.join(".gitattributes"), "*.py filter=trap diff=trap\n");
    for key in [
        "core.fsmonitor",
        "core.pager",
        "pager.ls-tree",
        "core.sshCommand",
        "diff.external",
        "filter.trap.clean",
        "filter.trap.smudge",
        "filter.trap.process",
    ] {
        git(&root, &["config", key, trap]);
    }
    git(&root, &["config", "alias.ls-tree", &format!("!{trap}")]);
    write(&root.join("old.py"), OTHER);
    // The everyday command falls into the trap, so it is one.
    git(&root, &["diff"]);
    assert!(mark.exists());
    fs::remove_file(&mark).unwrap();
    follows(&daemon, "watch: {generated: {since: HEAD}}\n");
    let watch = generated(&daemon, &root);
    assert_eq!(since(&watch, &root.join("old.py")), Some(head(&root)));
    assert!(!mark.exists(), "{}", text(&fs::read(&mark).unwrap()));
}
