//! Fetching wheels with pip on the host's side, by hash, and unpacking them into a tar of our own
//! making. pip never installs anything, never builds anything, and nothing of a wheel runs here.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use tar::{Builder, EntryType, Header};
use zip::ZipArchive;

use crate::bootstrap::{describe, read_lines, watch};
use crate::error::BuildError;
use crate::rootfs::MTIME;
use crate::variant::Variant;

/// Largest file in a wheel, and largest sum over all wheels, in bytes.
const MAX_FILE: u64 = 512 * 1024 * 1024;
const MAX_SUM: u64 = 3 * 1024 * 1024 * 1024;
/// Most files in all wheels.
const MAX_FILES: usize = 200_000;

/// The interpreters that pip is looked for in.
const PYTHONS: [&str; 2] = ["/usr/bin/python3", "python3"];

/// Major and minor version of the distribution's Python, as `3.11`: the image's is the same package.
fn image_python() -> Result<String, BuildError> {
    let output = Command::new("/usr/bin/python3")
        .args([
            "-IS",
            "-c",
            "import sys; print('%d.%d' % sys.version_info[:2])",
        ])
        .stdin(Stdio::null())
        .output();
    output
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .filter(|text| text.starts_with("3."))
        .ok_or(BuildError::NoPip)
}

/// An interpreter that has pip.
fn pip() -> Result<&'static str, BuildError> {
    PYTHONS
        .into_iter()
        .find(|python| {
            Command::new(python)
                .args(["-m", "pip", "--version"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
        .ok_or(BuildError::NoPip)
}

/// Options that make pip choose wheels for the image's interpreter.
fn target(version: &str) -> Vec<String> {
    let machine = std::env::consts::ARCH;
    let mut options: Vec<String> = [
        "--only-binary=:all:",
        "--implementation=cp",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        "--no-cache-dir",
    ]
    .map(str::to_owned)
    .to_vec();
    options.push(format!("--python-version={version}"));
    options.push(format!("--abi=cp{}", version.replace('.', "")));
    for glibc in ["manylinux_2_28", "manylinux_2_17", "manylinux2014"] {
        options.push(format!("--platform={glibc}_{machine}"));
    }
    options
}

/// Asks pip which wheels `requirements` need, and gives them as a lock: name, version, SHA-256.
///
/// # Errors
/// [`BuildError::Pip`] with its last lines, as for a name that no index knows.
pub fn resolve(
    requirements: &[String],
    folder: &Path,
    say: &mut dyn FnMut(String),
    cancel: &AtomicBool,
) -> Result<String, BuildError> {
    let report = folder.join("report.json");
    let mut command = Command::new(pip()?);
    command
        .args(["-m", "pip", "install", "--dry-run", "--ignore-installed"])
        .args(target(&image_python()?))
        .arg("--target")
        .arg(folder.join("none"))
        .arg("--report")
        .arg(&report)
        .arg("--")
        .args(requirements);
    pip_run(command, say, cancel)?;
    let text = fs::read(&report).map_err(BuildError::io("cannot read", &report))?;
    let _ = fs::remove_file(&report);
    lock_of(&text).ok_or_else(|| BuildError::Pip {
        status: "an unreadable report".to_owned(),
        tail: "pip 22.2 or later is needed".to_owned(),
    })
}

/// The lock that pip's installation report stands for.
fn lock_of(report: &[u8]) -> Option<String> {
    let report: serde_json::Value = serde_json::from_slice(report).ok()?;
    let mut lines = Vec::new();
    for item in report.get("install")?.as_array()? {
        let text = |path: &str| item.pointer(path)?.as_str().map(str::to_owned);
        let hash = text("/download_info/archive_info/hashes/sha256").or_else(|| {
            text("/download_info/archive_info/hash")?
                .strip_prefix("sha256=")
                .map(str::to_owned)
        })?;
        let (name, version) = (text("/metadata/name")?, text("/metadata/version")?);
        lines.push(format!("{name}=={version} \\\n    --hash=sha256:{hash}\n"));
    }
    lines.sort_unstable();
    Some(lines.concat())
}

/// Fetches the wheels of a variant into `cache` (by hash, kept) and unpacks them into `target`, below
/// the place where the image's interpreter looks for packages.
pub(crate) fn fetch(
    variant: &Variant,
    workdir: &Path,
    cache: &Path,
    target_tar: &Path,
    say: &mut dyn FnMut(String),
    cancel: &AtomicBool,
) -> Result<(), BuildError> {
    let version = image_python()?;
    let folder = workdir.join("wheels");
    let lock = workdir.join("requirements.lock");
    let _ = fs::remove_dir_all(&folder);
    for made in [&folder, &cache.to_path_buf()] {
        fs::create_dir_all(made).map_err(BuildError::io("cannot create", made))?;
    }
    fs::write(&lock, variant.lock()).map_err(BuildError::io("cannot write", &lock))?;
    let mut command = Command::new(pip()?);
    command
        .args(["-m", "pip", "download", "--require-hashes", "--no-deps"])
        .args(target(&version))
        // pip checks the hash of what it finds there as of what it fetches.
        .arg("--find-links")
        .arg(cache)
        .arg("--dest")
        .arg(&folder)
        .arg("--requirement")
        .arg(&lock);
    let done = pip_run(command, say, cancel).and_then(|()| {
        let wheels = wheels_in(&folder)?;
        for wheel in &wheels {
            keep(wheel, cache);
        }
        let place = format!("usr/local/lib/python{version}/dist-packages");
        unpack(&wheels, &place, variant.slim, target_tar, cancel)
    });
    let _ = fs::remove_dir_all(&folder);
    let _ = fs::remove_file(&lock);
    done
}

/// Keeps a fetched wheel for the next build. Losing this only costs time.
fn keep(wheel: &Path, cache: &Path) {
    let Some(name) = wheel.file_name() else {
        return;
    };
    let kept = cache.join(name);
    if !kept.exists() {
        let part = cache.join(".part");
        if fs::copy(wheel, &part).is_ok() {
            let _ = fs::rename(part, kept);
        }
    }
}

fn pip_run(
    mut command: Command,
    say: &mut dyn FnMut(String),
    cancel: &AtomicBool,
) -> Result<(), BuildError> {
    let mut child = command
        .env("LC_ALL", "C.UTF-8")
        .env("PIP_NO_INPUT", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|_| BuildError::NoPip)?;
    let lines = read_lines(&mut child);
    let (status, tail) = watch(&mut child, &lines, say, cancel, "pip")?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Pip {
        status: describe(status),
        tail,
    })
}

fn wheels_in(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let entries = fs::read_dir(folder).map_err(BuildError::io("cannot read", folder))?;
    let mut wheels: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "whl"))
        .collect();
    wheels.sort_unstable();
    Ok(wheels)
}

fn unpack(
    wheels: &[PathBuf],
    place: &str,
    slim: bool,
    target: &Path,
    cancel: &AtomicBool,
) -> Result<(), BuildError> {
    let writing = || BuildError::io("cannot write", target);
    let out = File::create(target).map_err(writing())?;
    let mut tar = Builder::new(BufWriter::new(out));
    let mut budget = Budget {
        bytes: MAX_SUM,
        files: MAX_FILES,
    };
    for wheel in wheels {
        if cancel.load(Ordering::Relaxed) {
            return Err(BuildError::Cancelled);
        }
        let file = File::open(wheel).map_err(BuildError::io("cannot read", wheel))?;
        unpack_one(file, place, slim, &mut tar, &mut budget)
            .map_err(BuildError::io("cannot unpack", wheel))?;
    }
    let mut out = tar.into_inner().map_err(writing())?;
    out.flush().map_err(writing())
}

struct Budget {
    bytes: u64,
    files: usize,
}

fn unpack_one(
    wheel: impl Read + std::io::Seek,
    place: &str,
    slim: bool,
    tar: &mut Builder<impl Write>,
    budget: &mut Budget,
) -> std::io::Result<()> {
    let odd = |what: &str| std::io::Error::other(what.to_owned());
    let mut zip = ZipArchive::new(wheel)?;
    for index in 0..zip.len() {
        let entry = zip.by_index(index)?;
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            return Err(odd("it holds a symbolic link"));
        }
        let Some(path) = inside(entry.name(), slim)
            .map_err(|what| odd(&format!("{}: {what}", entry.name().escape_debug())))?
        else {
            continue;
        };
        budget.files = budget
            .files
            .checked_sub(1)
            .ok_or_else(|| odd("too many files"))?;
        let size = entry.size();
        budget.bytes = Some(size)
            .filter(|size| *size <= MAX_FILE)
            .and_then(|size| budget.bytes.checked_sub(size))
            .ok_or_else(|| odd("too many bytes"))?;
        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(if executable { 0o755 } else { 0o644 });
        header.set_mtime(MTIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        let mut contents = Vec::new();
        // What it says of its size is the wheel's word: never read on.
        entry.take(size).read_to_end(&mut contents)?;
        if contents.len() as u64 != size {
            return Err(odd("a file is shorter than it says"));
        }
        tar.append_data(
            &mut header,
            Path::new("./").join(place).join(path),
            contents.as_slice(),
        )?;
    }
    Ok(())
}

/// Where a member of a wheel goes, relative to the packages' folder; `None` for one that stays out:
/// scripts, headers, data for other folders and, with `slim`, tests and stubs.
fn inside(name: &str, slim: bool) -> Result<Option<PathBuf>, &'static str> {
    let path = Path::new(name);
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str().ok_or("not UTF-8")?),
            _ => return Err("a path that leads out of the wheel"),
        }
    }
    if name.contains(['\\', '\0']) || parts.is_empty() {
        return Err("a path that no wheel may have");
    }
    if has_ending(parts[0], "data") {
        match parts.get(1) {
            Some(&("purelib" | "platlib")) => drop(parts.drain(..2)),
            _ => return Ok(None),
        }
    }
    let stub = parts.last().is_some_and(|name| has_ending(name, "pyi"));
    if slim && (stub || parts.contains(&"tests")) || parts.is_empty() {
        return Ok(None);
    }
    Ok(Some(parts.iter().collect()))
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == ending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn wheel(files: &[(&str, u32)]) -> Cursor<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode) in files {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            zip.start_file(*name, options).expect("a member");
            zip.write_all(b"x = 1\n").expect("bytes");
        }
        zip.finish().expect("a wheel")
    }

    fn unpacked(files: &[(&str, u32)], slim: bool) -> std::io::Result<Vec<(String, u32)>> {
        let mut tar = Builder::new(Vec::new());
        let mut budget = Budget {
            bytes: 60,
            files: 10,
        };
        unpack_one(wheel(files), "usr/lib/p", slim, &mut tar, &mut budget)?;
        let bytes = tar.into_inner()?;
        let mut archive = tar::Archive::new(bytes.as_slice());
        archive
            .entries()?
            .map(|entry| {
                let entry = entry?;
                Ok((entry.path()?.display().to_string(), entry.header().mode()?))
            })
            .collect()
    }

    #[test]
    fn members_go_to_the_packages_folder_without_rights() {
        let files = [
            ("a/b.py", 0o4755),
            ("a-1.data/platlib/c.so", 0o666),
            ("a-1.data/scripts/run", 0o755),
            ("a/tests/t.py", 0o644),
            ("a/b.pyi", 0o644),
        ];
        assert_eq!(
            unpacked(&files, true).expect("a tar"),
            [
                ("usr/lib/p/a/b.py".to_owned(), 0o755),
                ("usr/lib/p/c.so".to_owned(), 0o644)
            ]
        );
        assert_eq!(unpacked(&files, false).expect("a tar").len(), 4);
    }

    #[test]
    fn hostile_wheels_are_refused() {
        for name in ["../x.py", "/etc/passwd", "a/../../x", "a\\b.py"] {
            assert!(unpacked(&[(name, 0o644)], false).is_err(), "{name}");
        }
        let many: Vec<String> = (0..11).map(|n| format!("f{n}.py")).collect();
        let many: Vec<(&str, u32)> = many.iter().map(|name| (name.as_str(), 0o644)).collect();
        assert!(unpacked(&many, false).is_err(), "the budget holds");
    }

    #[test]
    fn a_report_becomes_a_lock() {
        let report = br#"{"install":[{"metadata":{"name":"Humanize","version":"4.0"},
            "download_info":{"archive_info":{"hashes":{"sha256":"ab"}}}}]}"#;
        assert_eq!(
            lock_of(report).as_deref(),
            Some("Humanize==4.0 \\\n    --hash=sha256:ab\n")
        );
        assert_eq!(lock_of(b"{}"), None);
        assert_eq!(lock_of(br#"{"install":[{"metadata":{}}]}"#), None);
    }
}
