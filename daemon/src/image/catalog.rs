//! The variants there are: those that SafeRun brings, and the user's own, each a lock in a folder of
//! the state. And the digest that each image must have to be current.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::PoisonError,
    time::SystemTime,
};

use saferun_image::{Inputs, Variant, check_name, digest};

/// Most variants of a user's own.
const MAX_OWN: usize = 32;
/// Largest lock that is read, in bytes.
const MAX_LOCK: u64 = 4 * 1024 * 1024;
/// The supervisor is a static program of about a megabyte; something larger is something else.
const MAX_SUPERVISOR_BYTES: u64 = 64 * 1024 * 1024;

/// A variant, and the digest that its image has if it is current.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) variant: String,
    pub(crate) digest: String,
    /// Projects in it, in normal form.
    pub(crate) projects: Vec<String>,
}

/// The supervisor's time and size and the variants that the digests were computed for, and these.
type Known = (SystemTime, u64, Vec<Variant>, Vec<Wanted>);

/// Where the variants come from.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    supervisor: PathBuf,
    folder: PathBuf,
}

impl Catalog {
    pub(crate) fn new(supervisor: PathBuf, folder: PathBuf) -> Self {
        Self { supervisor, folder }
    }

    /// All variants, cheapest first.
    pub(crate) fn variants(&self) -> Vec<Variant> {
        let mut all = vec![Variant::python(), Variant::python_data()];
        let mut own: Vec<Variant> = self.own();
        own.sort_by_key(|variant| (variant.projects().len(), variant.name().to_owned()));
        all.extend(own);
        all
    }

    /// The variant of this name.
    pub(crate) fn find(&self, name: &str) -> Option<Variant> {
        self.variants()
            .into_iter()
            .find(|variant| variant.name() == name)
    }

    /// Keeps the lock of an own variant, whole or not at all.
    pub(crate) fn keep(&self, name: &str, lock: &str) -> Result<(), String> {
        check_name(name)?;
        let kept = self.folder.join(format!("{name}.lock"));
        if !kept.exists() && self.own().len() >= MAX_OWN {
            return Err(format!("there are {MAX_OWN} own images already"));
        }
        let part = self.folder.join(format!(".{name}.part"));
        fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&part, lock))
            .and_then(|()| fs::rename(&part, &kept))
            .map_err(|error| format!("cannot write {}: {error}", kept.display()))
    }

    fn own(&self) -> Vec<Variant> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let locks = entries.filter_map(|entry| {
            let path = entry.ok()?.path();
            (path.extension()? == "lock").then_some(path)
        });
        locks
            .take(MAX_OWN)
            .filter_map(|path| {
                read_own(&path)
                    .inspect_err(|why| tracing::warn!("{}: {why}", path.display()))
                    .ok()
            })
            .collect()
    }

    /// What an image of this variant is built from.
    pub(crate) fn inputs(&self, variant: Variant) -> Result<Inputs, String> {
        let supervisor = &self.supervisor;
        let meta = fs::metadata(supervisor).map_err(|error| unreadable(supervisor, &error))?;
        if !meta.is_file() || meta.len() > MAX_SUPERVISOR_BYTES {
            return Err(format!(
                "{} is not the supervisor: reinstall SafeRun",
                supervisor.display()
            ));
        }
        let bytes = fs::read(supervisor).map_err(|error| unreadable(supervisor, &error))?;
        Ok(Inputs::new(bytes).with_variant(variant))
    }

    /// Computes what is wanted; again only if the supervisor or a variant changed.
    pub(crate) fn wanted_source(
        &self,
    ) -> impl Fn() -> Result<Vec<Wanted>, String> + Send + Sync + 'static {
        let catalog = self.clone();
        let known: std::sync::Mutex<Option<Known>> = std::sync::Mutex::default();
        move || {
            let unreadable = |error: std::io::Error| unreadable(&catalog.supervisor, &error);
            let meta = fs::metadata(&catalog.supervisor).map_err(unreadable)?;
            let stamp = meta.modified().map_err(unreadable)?;
            let variants = catalog.variants();
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, length, same, wanted)) = &*known
                && *at == stamp
                && *length == meta.len()
                && *same == variants
            {
                return Ok(wanted.clone());
            }
            let mut wanted = Vec::new();
            for variant in &variants {
                wanted.push(Wanted {
                    variant: variant.name().to_owned(),
                    digest: digest(&catalog.inputs(variant.clone())?),
                    projects: variant.projects().to_vec(),
                });
            }
            *known = Some((stamp, meta.len(), variants, wanted.clone()));
            Ok(wanted)
        }
    }
}

fn read_own(path: &Path) -> Result<Variant, String> {
    let name = path
        .file_stem()
        .and_then(|name| name.to_str())
        .ok_or("its name is no text")?;
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut lock = String::new();
    file.take(MAX_LOCK)
        .read_to_string(&mut lock)
        .map_err(|error| error.to_string())?;
    Variant::own(name, &lock)
}

fn unreadable(supervisor: &Path, error: &std::io::Error) -> String {
    format!(
        "the supervisor {} cannot be read ({error}): it belongs beside saferund; set SAFERUN_INIT if it is elsewhere",
        supervisor.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_variants_come_after_ours_and_broken_ones_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let supervisor = folder.path().join("init");
        fs::write(&supervisor, "init").expect("a file");
        let catalog = Catalog::new(supervisor, folder.path().join("images"));
        let hash = "a".repeat(64);
        let lock = format!("humanize==4.0 --hash=sha256:{hash}\n");
        catalog.keep("mine", &lock).expect("kept");
        fs::write(folder.path().join("images/bad.lock"), "-e /etc").expect("a file");
        assert!(catalog.keep("../x", &lock).is_err());
        let wanted = catalog.wanted_source()().expect("digests");
        let names: Vec<&str> = wanted.iter().map(|w| w.variant.as_str()).collect();
        assert_eq!(names, ["python", "python-data", "mine"]);
        assert_eq!(wanted[2].projects, ["humanize"]);
        let mut digests: Vec<&str> = wanted.iter().map(|w| w.digest.as_str()).collect();
        digests.dedup();
        assert_eq!(digests.len(), 3);
    }
}
