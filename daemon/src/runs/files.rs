//! Files that come with a run: decoded, their paths checked, their Python scanned with the script's. No I/O.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::types::ErrorObjectOwned;
use saferun_frames::{FileHead, check_path};
use saferun_protocol::{Code, InputFile, MAX_INPUT_FILES};
use saferun_scanner::Report;

/// A file that goes into the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Brought {
    pub(super) head: FileHead,
    pub(super) bytes: Vec<u8>,
}

impl Brought {
    /// Whether it is Python by its name.
    fn is_python(&self) -> bool {
        let path = &self.head.path;
        path.rsplit_once('.')
            .is_some_and(|(_, ending)| matches!(ending, "py" | "pyw"))
    }

    /// The report of a Python file; a message that is not about the script says which file it is about.
    pub(super) fn scan(&self, scan: impl Fn(&[u8]) -> Report) -> Option<Report> {
        self.is_python().then(|| scan(&self.bytes))
    }
}

/// Decodes and checks the files. Each is where no other is, and no file stands where another needs a folder.
pub(super) fn decode(files: &[InputFile], script: &str) -> Result<Vec<Brought>, ErrorObjectOwned> {
    if files.len() > MAX_INPUT_FILES {
        return Err(Code::TooLarge.error(
            format!(
                "{} files come with the run, at most {MAX_INPUT_FILES} may",
                files.len()
            ),
            "leave out what the run does not need, as with .gitignore",
        ));
    }
    let mut names = HashSet::from([script]);
    let mut folders: HashSet<&str> = above(script).collect();
    let mut brought = Vec::with_capacity(files.len());
    for file in files {
        let path = file.path.as_str();
        let wrong = |what: String| {
            Code::InvalidRequest.error(
                format!("the file {path:?}: {what}"),
                "paths in `files` are relative to the workspace; see docs/effects.md",
            )
        };
        check_path(path).map_err(|error| wrong(error.to_string()))?;
        if !names.insert(path) {
            return Err(wrong(
                "it is there twice, or is the script itself".to_owned(),
            ));
        }
        folders.extend(above(path));
        let bytes = STANDARD
            .decode(&file.base64)
            .map_err(|error| wrong(format!("its content is not base64: {error}")))?;
        brought.push(Brought {
            head: FileHead {
                path: file.path.clone(),
                executable: file.executable,
                size: bytes.len() as u64,
            },
            bytes,
        });
    }
    match names.intersection(&folders).next() {
        Some(path) => Err(Code::InvalidRequest.error(
            format!("{path:?} is a file, and a folder for another file"),
            "send each path once",
        )),
        None => Ok(brought),
    }
}

/// The names that `import` finds among the files from the script's folder.
pub(super) fn local_modules<'f>(
    files: &'f [Brought],
    script: &'f str,
) -> impl Iterator<Item = &'f str> {
    let folder = script.rfind('/').map_or("", |at| &script[..=at]);
    let below = move |file: &'f Brought| file.head.path.strip_prefix(folder);
    files.iter().filter_map(below).map(|path| {
        let first = path.split('/').next().unwrap_or(path);
        first.strip_suffix(".py").unwrap_or(first)
    })
}

/// The folders that a path needs.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> InputFile {
        let mut file = InputFile::default();
        path.clone_into(&mut file.path);
        file.base64 = "eA==".to_owned();
        file
    }

    #[test]
    fn each_file_has_a_place_of_its_own_below_the_workspace() {
        let good = [file("a/b.py"), file("a/c"), file("d.py")];
        let brought = decode(&good, "main.py").unwrap();
        assert_eq!(brought[1].bytes, b"x");
        assert_eq!(
            local_modules(&brought, "a/main.py").collect::<Vec<_>>(),
            ["b", "c"]
        );
        for bad in [
            &[file("../a")][..],
            &[file("/a")],
            &[file("main.py")],
            &[file("a"), file("a")],
            &[file("a"), file("a/b")],
            &[file("main.py/x")],
            &[InputFile {
                base64: "?".to_owned(),
                ..file("a")
            }],
        ] {
            assert!(decode(bad, "main.py").is_err(), "{bad:?}");
        }
    }
}
