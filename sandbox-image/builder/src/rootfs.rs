//! From packages to a finished root file system: unpack, take out, lay over, write in order, audit.
//!
//! Works on tar files throughout, so it needs no root rights of its own and no device files.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tar::{Archive, Builder, EntryType, Header};

use crate::audit::{MAX_IMAGE_BYTES, MAX_VARIANT_BYTES, audit_rootfs};
use crate::bootstrap;
use crate::error::BuildError;
use crate::inputs::{Inputs, REMOVE};
use crate::patterns::Patterns;
use crate::tree::{Contents, Node, Tree};
use crate::wheels;

/// Time of each file: 2026-01-01, so that equal contents make an equal tar.
pub(crate) const MTIME: u64 = 1_767_225_600;

/// Folders of the root that are links into `/usr`.
const MERGED: [&str; 6] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

/// The parts of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Downloading and unpacking packages; the long part.
    Packages,
    /// Taking out, laying over and writing.
    Assemble,
    /// Checking the result.
    Audit,
}

/// What a build says while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A stage began.
    Stage(Stage),
    /// A line from the tool that unpacks packages.
    Line(String),
}

/// Builds the root file system of `inputs` and gives the path of its tar file in `workdir`.
///
/// Needs mmdebstrap and a package archive in reach. Blocks for some seconds up to minutes; sets of
/// `cancel` are noticed within a tenth of a second. Leaves nothing in `workdir` but the result.
///
/// # Errors
/// [`BuildError`]; a result that is not fit for a sandbox is one too.
pub fn build_rootfs(
    inputs: &Inputs,
    workdir: &Path,
    progress: &mut dyn FnMut(Progress),
    cancel: &AtomicBool,
) -> Result<PathBuf, BuildError> {
    let unpacked = workdir.join("packages.tar");
    let target = workdir.join("rootfs.tar");
    let wheels = workdir.join("wheels.tar");
    let hold = workdir.join("hold.tar");
    let built = (|| {
        progress(Progress::Stage(Stage::Packages));
        let mut say = |line| progress(Progress::Line(line));
        let wheels = inputs.variant.has_wheels().then_some(wheels.as_path());
        if let Some(tar) = wheels {
            let own = workdir.join("wheel-cache");
            let cache = inputs.cache.as_deref().unwrap_or(&own);
            wheels::fetch(&inputs.variant, workdir, cache, tar, &mut say, cancel)?;
        }
        write_hold(inputs, &hold).map_err(BuildError::io("cannot write", &hold))?;
        let added: Vec<&Path> = wheels.into_iter().chain([hold.as_path()]).collect();
        bootstrap::unpack(inputs, &added, &unpacked, &mut say, cancel)?;
        progress(Progress::Stage(Stage::Assemble));
        assemble(&unpacked, inputs.overlay(), &target, cancel)?;
        progress(Progress::Stage(Stage::Audit));
        audit_rootfs(&target, largest(inputs))
    })();
    // Gone already if the first stage failed.
    let _ = fs::remove_file(&unpacked);
    let _ = fs::remove_file(&wheels);
    let _ = fs::remove_file(&hold);
    if built.is_err() {
        let _ = fs::remove_file(&target);
    }
    built.map(|_| target)
}

/// How large the image of these inputs may be, in bytes.
fn largest(inputs: &Inputs) -> u64 {
    if inputs.variant.has_wheels() {
        MAX_VARIANT_BYTES
    } else {
        MAX_IMAGE_BYTES
    }
}

/// The hold alone, so that it is compiled by the interpreter that it is for; [`assemble`] lays it over with all else.
fn write_hold(inputs: &Inputs, target: &Path) -> std::io::Result<()> {
    let mut builder = Builder::new(File::create(target)?);
    for (path, node) in inputs.overlay().iter() {
        if path.starts_with("opt/saferun/hold") {
            append(&mut builder, path, node, None)?;
        }
    }
    builder.finish()
}

/// Makes the tar file `target` from the packages in `unpacked` and our own files.
fn assemble(
    unpacked: &Path,
    overlay: Tree,
    target: &Path,
    cancel: &AtomicBool,
) -> Result<(), BuildError> {
    let reading = || BuildError::io("cannot read", unpacked);
    let mut source = File::open(unpacked).map_err(reading())?;
    let mut tree = read_tree(&source, &Patterns::parse(REMOVE)).map_err(reading())?;
    tree.overlay(overlay);
    tree.complete_folders();
    let out = File::create(target).map_err(BuildError::io("cannot create", target))?;
    write_tree(&tree, &mut source, BufWriter::new(out), cancel)
        .map_err(BuildError::io("cannot write", target))?;
    if cancel.load(Ordering::Relaxed) {
        Err(BuildError::Cancelled)
    } else {
        Ok(())
    }
}

/// Reads a package tar: what is wanted of it, merged into `/usr`, without rights beyond 755.
fn read_tree(source: &File, patterns: &Patterns) -> std::io::Result<Tree> {
    let mut tree = Tree::default();
    // Also of files that stay out: a hard link may name one.
    let mut files: HashMap<PathBuf, Node> = HashMap::new();
    let mut archive = Archive::new(BufReader::new(source));
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let Some(path) = place(&entry.path()?) else {
            continue;
        };
        let header = entry.header();
        let link = entry.link_name()?;
        let node = match header.entry_type() {
            EntryType::Directory if is_merged(&path) => continue,
            EntryType::Directory => Node::Folder(0o755),
            EntryType::Regular => {
                let contents = Contents::At(entry.raw_file_position(), entry.size());
                let node = Node::File(header.mode()? & 0o755, contents);
                files.insert(path.clone(), node.clone());
                node
            }
            EntryType::Symlink => Node::Link(link.unwrap_or_default().into_owned()),
            EntryType::Link => {
                let target = link.and_then(|target| place(&target));
                match target.and_then(|target| files.get(&target)) {
                    Some(node) => node.clone(),
                    None => continue,
                }
            }
            // Device nodes, pipes: the engine makes what a container needs.
            _ => continue,
        };
        if !patterns.removes(&path.to_string_lossy()) {
            tree.put(path, node);
        }
    }
    tree.complete_folders();
    for name in MERGED {
        let target = Path::new("usr").join(name);
        if tree.get(&target).is_some() && tree.get(Path::new(name)).is_none() {
            tree.put(name, Node::Link(target));
        }
    }
    Ok(tree)
}

/// A path of the archive relative to the root, below `/usr` where that is merged.
fn place(path: &Path) -> Option<PathBuf> {
    let mut parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part),
        _ => None,
    });
    let first = parts.next()?;
    let rest: PathBuf = parts.collect();
    let merged = MERGED.iter().any(|name| *name == first) && rest != Path::new("");
    let base = if merged {
        Path::new("usr").join(first)
    } else {
        first.into()
    };
    Some(if rest == Path::new("") {
        base
    } else {
        base.join(rest)
    })
}

fn is_merged(path: &Path) -> bool {
    MERGED.iter().any(|name| path == Path::new(name))
}

fn write_tree(
    tree: &Tree,
    source: &mut File,
    out: impl Write,
    cancel: &AtomicBool,
) -> std::io::Result<()> {
    let mut builder = Builder::new(out);
    for (path, node) in tree.iter() {
        if cancel.load(Ordering::Relaxed) {
            return Ok(());
        }
        append(&mut builder, path, node, Some(&mut *source))?;
    }
    builder.into_inner()?.flush()
}

/// Appends one entry that belongs to root.
pub(crate) fn append(
    builder: &mut Builder<impl Write>,
    path: &Path,
    node: &Node,
    source: Option<&mut File>,
) -> std::io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mtime(MTIME);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    match node {
        Node::Folder(mode) => {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(*mode);
            builder.append_data(&mut header, path, std::io::empty())
        }
        Node::Link(target) => {
            header.set_entry_type(EntryType::Symlink);
            header.set_mode(0o777);
            builder.append_link(&mut header, path, target)
        }
        Node::File(mode, contents) => {
            header.set_entry_type(EntryType::Regular);
            header.set_mode(*mode);
            match (contents, source) {
                (Contents::Inline(bytes), _) => {
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, path, bytes.as_slice())
                }
                (Contents::At(offset, length), Some(source)) => {
                    header.set_size(*length);
                    source.seek(SeekFrom::Start(*offset))?;
                    builder.append_data(&mut header, path, source.take(*length))
                }
                (Contents::At(..), None) => Err(std::io::Error::other("no file to copy from")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header
    }

    fn packages() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut tar = Builder::new(file.reopen().expect("the file"));
        let mut put = |kind, mode, path: &str, data: &[u8]| {
            tar.append_data(&mut header(kind, mode, data.len() as u64), path, data)
                .expect("a tar");
        };
        put(EntryType::Directory, 0o755, "./bin/", b"");
        put(EntryType::Regular, 0o4755, "./bin/su2", b"root!");
        put(EntryType::Regular, 0o666, "./usr/bin/dpkg", b"gone");
        put(EntryType::Char, 0o666, "./dev/null", b"");
        put(EntryType::Regular, 0o755, "./lib64/ld.so", b"loader");
        tar.append_link(
            &mut header(EntryType::Link, 0o755, 0),
            "./usr/bin/hard",
            "./bin/su2",
        )
        .expect("a tar");
        tar.append_link(
            &mut header(EntryType::Symlink, 0o777, 0),
            "./usr/bin/sh",
            "dash",
        )
        .expect("a tar");
        tar.into_inner().expect("a tar");
        file
    }

    #[test]
    fn packages_are_merged_stripped_and_defanged() {
        let file = packages();
        let source = file.reopen().expect("the file");
        let tree = read_tree(&source, &Patterns::parse("usr/bin/dpkg\n")).expect("a tree");
        let get = |path: &str| tree.get(Path::new(path));
        assert!(matches!(
            get("usr/bin/su2"),
            Some(Node::File(0o755, Contents::At(_, 5)))
        ));
        assert_eq!(get("usr/bin/hard"), get("usr/bin/su2"));
        assert_eq!(get("usr/bin/sh"), Some(&Node::Link("dash".into())));
        assert_eq!(get("usr/bin/dpkg"), None);
        assert_eq!(get("dev/null"), None);
        assert_eq!(get("bin/su2"), None);
        assert_eq!(get("lib64"), Some(&Node::Link("usr/lib64".into())));
        assert_eq!(get("lib32"), None);
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes() {
        let file = packages();
        let folder = tempfile::tempdir().expect("a folder");
        let make = |name: &str| {
            let target = folder.path().join(name);
            let overlay = Inputs::new(b"init".to_vec()).overlay();
            assemble(file.path(), overlay, &target, &AtomicBool::new(false)).expect("a tar");
            fs::read(target).expect("the tar")
        };
        assert_eq!(make("a"), make("b"));
    }

    #[test]
    fn paths_are_placed_below_usr() {
        assert_eq!(place(Path::new("./lib/x/y")), Some("usr/lib/x/y".into()));
        assert_eq!(place(Path::new("./etc/passwd")), Some("etc/passwd".into()));
        assert_eq!(place(Path::new("./bin")), Some("bin".into()));
        assert_eq!(place(Path::new("./")), None);
        assert_eq!(place(Path::new("../../etc/x")), Some("etc/x".into()));
    }
}
