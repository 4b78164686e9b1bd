//! The image variants: a name, the wheels that go on top of the standard library, and what of them
//! the warm interpreter has imported already.

use crate::config::VARIANT_PYTHON;

/// The variant with the packages that models import most.
pub const VARIANT_PYTHON_DATA: &str = "python-data";

/// Its wheels: pinned by version and by the hashes of their files.
const DATA_LOCK: &str = include_str!("../../python-data/requirements.lock");
/// What its warm interpreter has imported.
const DATA_PREIMPORT: &str = include_str!("../../python-data/preimport.list");

/// Most requirements of one variant.
const MAX_REQUIREMENTS: usize = 500;
/// Largest lock in bytes.
const MAX_LOCK: usize = 4 * 1024 * 1024;

/// What is in an image besides the interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub(crate) name: String,
    pub(crate) lock: String,
    pub(crate) preimport: Vec<String>,
    pub(crate) slim: bool,
    projects: Vec<String>,
}

impl Variant {
    /// The standard library alone.
    #[must_use]
    pub fn python() -> Self {
        Self {
            name: VARIANT_PYTHON.to_owned(),
            lock: String::new(),
            preimport: Vec::new(),
            slim: false,
            projects: Vec::new(),
        }
    }

    /// The packages that models import most, the heavy ones imported while the container waits.
    #[must_use]
    pub fn python_data() -> Self {
        // The bundled lock is sound: a test of this module reads it.
        let projects = read_lock(DATA_LOCK).unwrap_or_default();
        Self {
            name: VARIANT_PYTHON_DATA.to_owned(),
            lock: DATA_LOCK.to_owned(),
            preimport: lines(DATA_PREIMPORT),
            slim: true,
            projects,
        }
    }

    /// A variant of the user's own with the wheels of this lock (pip's format with `--hash`).
    ///
    /// # Errors
    /// A sentence that says what is wrong with the name, or with which line of the lock.
    pub fn own(name: &str, lock: &str) -> Result<Self, String> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            projects: read_lock(lock)?,
            lock: lock.to_owned(),
            preimport: Vec::new(),
            slim: false,
        })
    }

    /// Its name, as `python-data`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the projects in it, in normal form; nothing for the standard library alone.
    #[must_use]
    pub fn projects(&self) -> &[String] {
        &self.projects
    }

    /// Its lock, for pip.
    #[must_use]
    pub fn lock(&self) -> &str {
        &self.lock
    }

    pub(crate) fn has_wheels(&self) -> bool {
        !self.projects.is_empty()
    }
}

/// Whether a user's variant may be called so: it becomes part of a tag, a label and a file name.
///
/// # Errors
/// A sentence with the rule.
pub fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let sound = (1..=40).contains(&name.len())
        && name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-');
    if !sound {
        return Err(format!(
            "{name:?} cannot name an image: use up to 40 small letters, digits and hyphens"
        ));
    }
    if [VARIANT_PYTHON, VARIANT_PYTHON_DATA, "node", "auto"].contains(&name) {
        return Err(format!(
            "{name} is the name of an image that SafeRun brings"
        ));
    }
    Ok(())
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The projects of a lock. Nothing else than `name==version` with at least one SHA-256 is let
/// through: pip would take options, addresses and paths from such a file.
fn read_lock(text: &str) -> Result<Vec<String>, String> {
    if text.len() > MAX_LOCK {
        return Err(format!("the lock is larger than {MAX_LOCK} bytes"));
    }
    let mut projects = Vec::new();
    for (at, logical) in logical_lines(text) {
        let mut words = logical.split_whitespace();
        let Some(pin) = words.next() else { continue };
        let bad = |what: &str| format!("line {at} of the lock: {what}");
        let (name, version) = pin
            .split_once("==")
            .ok_or_else(|| bad("write NAME==VERSION --hash=sha256:..."))?;
        let plain = |text: &str, more: &str| {
            !text.is_empty()
                && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !plain(name, "-_.") || !plain(version, "-_.+!") {
            return Err(bad("the name or the version has an odd character"));
        }
        let mut hashes = 0;
        for word in words {
            let digits = word
                .strip_prefix("--hash=sha256:")
                .ok_or_else(|| bad("only --hash=sha256:... may follow the version"))?;
            if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(bad("a hash is not 64 hexadecimal digits"));
            }
            hashes += 1;
        }
        if hashes == 0 {
            return Err(bad("there is no hash"));
        }
        projects.push(normal(name));
    }
    if projects.len() > MAX_REQUIREMENTS {
        return Err(format!(
            "the lock has more than {MAX_REQUIREMENTS} packages"
        ));
    }
    projects.sort_unstable();
    projects.dedup();
    Ok(projects)
}

/// PEP 503, for names that were checked already.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase()
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// Lines joined at a backslash, each with the number of its first one.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            open = false;
            continue;
        }
        let (body, goes_on) = line
            .strip_suffix('\\')
            .map_or((line, false), |body| (body, true));
        match out.last_mut().filter(|_| open) {
            Some((_, whole)) => {
                whole.push(' ');
                whole.push_str(body);
            }
            None => out.push((index + 1, body.to_owned())),
        }
        open = goes_on;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "aa11bb22cc33dd44ee55ff66aa11bb22cc33dd44ee55ff66aa11bb22cc33dd44";

    #[test]
    fn the_bundled_lock_is_sound() {
        let projects = read_lock(DATA_LOCK).expect("a sound lock");
        for name in ["numpy", "pandas", "matplotlib", "requests", "scikit-learn"] {
            assert!(projects.contains(&name.to_owned()), "{name}");
        }
        let variant = Variant::python_data();
        assert_eq!(variant.projects(), projects);
        assert!(variant.preimport.contains(&"numpy".to_owned()));
    }

    #[test]
    fn a_lock_is_pins_with_hashes_and_nothing_else() {
        let pin = format!("A_b.c==1.0+x \\\n    --hash=sha256:{HASH}\n# a comment\n");
        assert_eq!(read_lock(&pin), Ok(vec!["a-b-c".to_owned()]));
        for text in [
            "a==1".to_owned(),
            "a".to_owned(),
            format!("a==1 --hash=md5:{HASH}"),
            "a==1 --hash=sha256:12".to_owned(),
            format!("--index-url http://x --hash=sha256:{HASH}"),
            format!("-e==. --hash=sha256:{HASH}"),
            format!("a @ file:///etc/x --hash=sha256:{HASH}"),
            format!("a==1;x --hash=sha256:{HASH}"),
        ] {
            assert!(read_lock(&text).is_err(), "{text}");
        }
        assert!(read_lock("\n\nb==2").is_err_and(|why| why.starts_with("line 3")));
    }

    #[test]
    fn names_of_own_variants_are_plain() {
        for name in ["mine", "a-1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "A",
            "a/b",
            "../x",
            "a-",
            "python",
            "python-data",
            "a:b",
            "1a",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
