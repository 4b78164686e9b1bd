//! The local modules that a lone script imports: found by the scanner among the files beside it. A script without such
//! costs a few looks at file names, and no scan.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use saferun_scanner::{Options, UsageKind, extract::scan_bytes};

/// Most files that are brought along unasked.
const MOST: usize = 256;
/// Largest one that is.
const LARGEST: u64 = 1024 * 1024;

/// Path below the workspace and file of each module that the script imports, and that those import.
pub(crate) fn of(script: &Path, source: &[u8]) -> BTreeMap<String, PathBuf> {
    let folder = match script.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut found = BTreeMap::new();
    if !named_beside(source, folder) {
        return found;
    }
    let mut texts = vec![source.to_vec()];
    let mut known = BTreeSet::new();
    while let Some(text) = texts.pop() {
        for module in imports(&text) {
            if !known.insert(module.clone()) {
                continue;
            }
            for (path, file) in files_of(folder, &module) {
                if found.len() >= MOST || found.contains_key(&path) || same(&file, script) {
                    continue;
                }
                if let Ok(text) = fs::read(&file) {
                    texts.push(text);
                }
                found.insert(path, file);
            }
        }
    }
    found
}

/// Whether a line that imports something names what stands beside the script.
fn named_beside(source: &[u8], folder: &Path) -> bool {
    let Ok(text) = std::str::from_utf8(source) else {
        return true;
    };
    let mut names = BTreeSet::new();
    for line in text.split(['\n', ';', ':']).map(str::trim_start) {
        let rest = line
            .strip_prefix("import ")
            .or_else(|| line.strip_prefix("from "));
        for name in rest.into_iter().flat_map(|rest| rest.split(',')) {
            let name = name.trim_start();
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            names.insert(&name[..end.unwrap_or(name.len())]);
        }
    }
    names.iter().any(|name| stands(folder, name))
}

fn stands(folder: &Path, name: &str) -> bool {
    !name.is_empty() && (folder.join(format!("{name}.py")).is_file() || folder.join(name).is_dir())
}

/// Top-level names that a text imports.
fn imports(text: &[u8]) -> BTreeSet<String> {
    let report = scan_bytes("script.py", text, &Options::default()).report;
    let imports = report.usages.into_iter();
    let imports = imports.filter(|usage| usage.kind == UsageKind::Import);
    let top = imports.filter_map(|usage| usage.name.split('.').next().map(str::to_owned));
    top.filter(|name| !name.is_empty()).collect()
}

/// The module's file, or the Python files of its package.
fn files_of(folder: &Path, module: &str) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let name = format!("{module}.py");
    if plain(&folder.join(&name)) {
        found.push((name.clone(), folder.join(name)));
        return found;
    }
    let mut folders = vec![module.to_owned()];
    while let Some(below) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder.join(&below)) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            let path = format!("{below}/{name}");
            let kind = entry.file_type();
            if kind.as_ref().is_ok_and(fs::FileType::is_dir) && !name.starts_with(['.', '_']) {
                folders.push(path);
            } else if is_python(&name) && plain(&entry.path()) {
                found.push((path, entry.path()));
            }
            if found.len() + folders.len() > MOST {
                return found;
            }
        }
    }
    found.sort();
    found
}

fn is_python(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ending == "py")
}

/// A regular file of an ordinary size, and no link.
fn plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST)
}

fn same(one: &Path, other: &Path) -> bool {
    fs::canonicalize(one)
        .ok()
        .is_some_and(|one| fs::canonicalize(other).ok() == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brought(files: &[(&str, &str)], source: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let script = dir.path().join("main.py");
        fs::write(&script, source).unwrap();
        of(&script, source.as_bytes()).into_keys().collect()
    }

    #[test]
    fn imported_modules_and_theirs_are_brought_and_no_others() {
        let files = [
            ("util.py", "import deeper\n"),
            ("deeper.py", "x = 1\n"),
            ("unused.py", ""),
            ("data.csv", ""),
            ("pkg/__init__.py", ""),
            ("pkg/a.py", "import main\n"),
            ("pkg/sub/b.py", ""),
            ("pkg/notes.txt", ""),
        ];
        assert_eq!(
            brought(&files, "import json, util as u\nfrom pkg import a\n"),
            [
                "deeper.py",
                "pkg/__init__.py",
                "pkg/a.py",
                "pkg/sub/b.py",
                "util.py"
            ]
        );
        assert_eq!(
            brought(&files, "if 1: import util\n"),
            ["deeper.py", "util.py"]
        );
        assert!(brought(&files, "import json\nprint('import util')\n").is_empty());
    }
}
