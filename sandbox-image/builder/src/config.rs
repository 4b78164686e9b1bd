//! The image's configuration, as data: what `docker import --change` or a Dockerfile says.

use crate::accounts::{HOME, SANDBOX_UID_BASE};
use crate::inputs::{Inputs, digest};

/// Label that holds the content digest of the inputs.
pub const LABEL_DIGEST: &str = "org.saferun.digest";
/// Label that names the variant.
pub const LABEL_VARIANT: &str = "org.saferun.variant";
/// Standard label for the time of the build.
const LABEL_CREATED: &str = "org.opencontainers.image.created";
/// The variant with the standard library and nothing else.
pub const VARIANT_PYTHON: &str = "python";

/// What an engine must know of the image besides its files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageConfig {
    /// PID 1 and its arguments.
    pub entrypoint: Vec<String>,
    /// Environment, as `NAME=value`.
    pub env: Vec<String>,
    /// Working directory.
    pub working_dir: String,
    /// Default user, as `uid:gid`; each container gets its own of the range.
    pub user: String,
    /// Labels.
    pub labels: Vec<(String, String)>,
}

impl ImageConfig {
    /// The configuration of the image of these inputs. `created` is the time of the build, RFC 3339.
    #[must_use]
    pub fn new(inputs: &Inputs, created: &str) -> Self {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            entrypoint: vec!["/opt/saferun/init".into()],
            env: [
                "PATH=/usr/local/bin:/usr/bin:/bin".into(),
                format!("HOME={HOME}"),
                "USER=sandbox".into(),
                "LOGNAME=sandbox".into(),
                "LANG=C.UTF-8".into(),
                "PYTHONDONTWRITEBYTECODE=1".into(),
            ]
            .into_iter()
            .chain(one_thread(inputs))
            .collect(),
            working_dir: "/workspace".into(),
            user: format!("{SANDBOX_UID_BASE}:{SANDBOX_UID_BASE}"),
            labels: vec![
                label(LABEL_DIGEST, &digest(inputs)),
                label(LABEL_VARIANT, inputs.variant.name()),
                label(LABEL_CREATED, created),
            ],
        }
    }

    /// The same as Dockerfile instructions, one for each `changes` parameter of an import.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let quoted =
            |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let list: Vec<String> = self.entrypoint.iter().map(|part| quoted(part)).collect();
        let mut changes = vec![format!("ENTRYPOINT [{}]", list.join(", "))];
        for variable in &self.env {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            changes.push(format!("ENV {name}={}", quoted(value)));
        }
        changes.push(format!("WORKDIR {}", self.working_dir));
        changes.push(format!("USER {}", self.user));
        for (name, value) in &self.labels {
            changes.push(format!("LABEL {name}={}", quoted(value)));
        }
        changes
    }
}

/// Variables that keep numeric libraries from starting threads of their own when they are imported:
/// a container has about one processor, and an interpreter with threads cannot be held or forked.
fn one_thread(inputs: &Inputs) -> Vec<String> {
    let names = ["MKL", "NUMEXPR", "OMP", "OPENBLAS"];
    let names = names.iter().filter(|_| inputs.variant.has_wheels());
    names.map(|name| format!("{name}_NUM_THREADS=1")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_say_what_the_dockerfile_says() {
        let inputs = Inputs::new(b"init".to_vec());
        let config = ImageConfig::new(&inputs, "2026-01-02T03:04:05Z");
        let changes = config.changes();
        assert_eq!(changes[0], "ENTRYPOINT [\"/opt/saferun/init\"]");
        assert!(changes.contains(&"ENV LANG=\"C.UTF-8\"".to_owned()));
        assert!(changes.contains(&format!("LABEL org.saferun.digest=\"{}\"", digest(&inputs))));
        let dockerfile = crate::inputs::DOCKERFILE;
        for variable in &config.env {
            assert!(dockerfile.contains(variable), "{variable}");
        }
        assert!(dockerfile.contains(&format!("USER {}", config.user)));
        assert!(dockerfile.contains(&format!("WORKDIR {}", config.working_dir)));
    }
}
