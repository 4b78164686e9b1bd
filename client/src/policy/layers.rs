//! The layers of the policy as this command sees them: the files of this machine, the project's, the environment, the
//! words of the command line. For a run they travel as texts; `policy show` and `explain` put them together here.

use std::{
    env,
    path::{Path, PathBuf},
};

use saferun_policy::{Content, LayerKind, Loaded, Source, load, preset_names};
use saferun_policy_files::{Places, projects, read, read_chosen, variables};
use saferun_protocol::{MAX_POLICY_TEXTS, PolicyLayers, PolicySetting, PolicyText};

use crate::{
    failure::Failure,
    ui::{self, one_line},
};

/// What a command says of the policy.
#[derive(Debug, Default)]
pub(crate) struct Chosen<'a> {
    /// A preset's name, or a file.
    pub(crate) policy: Option<&'a str>,
    /// Keys with values.
    pub(crate) set: &'a [(String, String)],
    /// The script, whose project counts, or the folder of its project; `None` for one that stands nowhere.
    pub(crate) script: Option<&'a Path>,
}

/// The layers of one command.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// The preset that it names.
    pub(crate) preset: Option<String>,
    project: Vec<Source>,
    variables: Vec<Source>,
    flags: Vec<Source>,
    file: Option<Source>,
}

impl Chosen<'_> {
    /// Reads what there is, as far as it may be trusted.
    pub(crate) fn layers(&self) -> Result<Layers, Failure> {
        let mut layers = Layers {
            variables: variables(env::vars_os()),
            flags: self
                .set
                .iter()
                .map(|(key, value)| Source::flag("--set", key, value))
                .collect(),
            ..Layers::default()
        };
        if let Some(folder) = self.folder() {
            layers.project = projects(&folder, uid()).map_err(|error| {
                Failure::usage(
                    format!("{error}; a project's policy may tighten, so it is not passed over"),
                    "mend or remove the file",
                )
            })?;
        }
        if layers.project.len() > MAX_POLICY_TEXTS {
            return Err(Failure::usage(
                "there are too many project policies above the script",
                "remove some",
            ));
        }
        match self.policy {
            Some(name) if preset_names().contains(&name) => layers.preset = Some(name.to_owned()),
            Some(name) if is_path(name) => {
                let file = read_chosen(Path::new(name), uid()).map_err(|error| unusable(&error))?;
                layers.file = Some(file);
            }
            Some(name) => {
                return Err(Failure::usage(
                    format!("there is no policy called {}", one_line(name)),
                    format!("use one of {}, or name a file", preset_names().join(", ")),
                ));
            }
            None => {}
        }
        Ok(layers)
    }

    fn folder(&self) -> Option<PathBuf> {
        let script = self.script?;
        // The project is where the script stands, not where a link to it does.
        let script = std::fs::canonicalize(script).ok()?;
        if script.is_dir() {
            return Some(script);
        }
        script.parent().map(Path::to_owned)
    }
}

impl Layers {
    /// As they go with a request.
    pub(crate) fn wire(&self) -> PolicyLayers {
        let text = |source: &Source| match &source.content {
            Content::Yaml(text) => PolicyText::new(source.name.clone(), text.clone()),
            Content::Setting { key, value } => PolicyText::new(key.clone(), value.clone()),
        };
        let setting = |source: &Source| match &source.content {
            Content::Setting { value, .. } if source.layer == LayerKind::Environment => {
                Some(PolicySetting::new(source.name.clone(), value.clone()))
            }
            Content::Setting { key, value } => Some(PolicySetting::new(key.clone(), value.clone())),
            Content::Yaml(_) => None,
        };
        let mut wire = PolicyLayers::default();
        wire.project = self.project.iter().map(text).collect();
        wire.settings = self
            .variables
            .iter()
            .chain(&self.flags)
            .filter_map(setting)
            .collect();
        wire.file = self.file.as_ref().map(text);
        wire
    }

    /// Together with the files of this machine.
    pub(crate) fn sources(&self) -> Result<Vec<Source>, Failure> {
        let mut sources = standing()?;
        sources.extend(self.project.iter().cloned());
        sources.extend(self.variables.iter().cloned());
        sources.extend(self.flags.iter().cloned());
        if let Some(name) = &self.preset {
            sources.push(Source::flag("--policy", "preset", name));
        }
        sources.extend(self.file.iter().cloned());
        Ok(sources)
    }

    /// What they come to. `None` if there are mistakes, which were printed, like all warnings.
    pub(crate) fn load(&self) -> Result<Option<Loaded>, Failure> {
        Ok(loaded(&self.sources()?))
    }
}

/// What sources come to; mistakes and warnings are printed.
pub(crate) fn loaded(sources: &[Source]) -> Option<Loaded> {
    match load(sources) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                ui::note(warning.to_string());
            }
            Some(loaded)
        }
        Err(diagnostics) => {
            ui::note(diagnostics.to_string());
            None
        }
    }
}

/// The system's and the user's file, as far as they are there.
pub(crate) fn standing() -> Result<Vec<Source>, Failure> {
    let places = Places::from_env()
        .map_err(|error| Failure::usage(error.to_string(), "give an absolute path"))?;
    let system =
        read(LayerKind::System, &places.system, uid()).map_err(|error| unusable(&error))?;
    let user = match &places.user {
        Some(path) => read(LayerKind::User, path, uid()).map_err(|error| unusable(&error))?,
        None => None,
    };
    Ok(system.into_iter().chain(user).collect())
}

/// The project files of the folder where the command was given.
pub(crate) fn project_here() -> Result<Vec<Source>, Failure> {
    projects(Path::new("."), uid()).map_err(|error| unusable(&error))
}

/// The layers of a command without a script: the folder where it was given counts as the project.
pub(crate) fn here() -> Result<Layers, Failure> {
    Ok(Layers {
        project: project_here()?,
        variables: variables(env::vars_os()),
        ..Layers::default()
    })
}

fn is_path(name: &str) -> bool {
    name.contains('/')
        || Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        || Path::new(name).exists()
}

fn uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

fn unusable(error: &saferun_policy_files::FileError) -> Failure {
    Failure::usage(
        error.to_string(),
        "see docs/policy.md, \"Layers, and who may say what\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_preset_or_a_file_and_nothing_else() {
        let chosen = |policy| Chosen {
            policy: Some(policy),
            ..Chosen::default()
        };
        assert_eq!(
            chosen("strict").layers().unwrap().preset.as_deref(),
            Some("strict")
        );
        let unknown = chosen("strikt").layers().unwrap_err();
        assert!(
            unknown.message.contains("no policy called strikt"),
            "{}",
            unknown.message
        );
        assert!(
            chosen("none/policy.yaml")
                .layers()
                .unwrap_err()
                .message
                .contains("cannot be read")
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        std::fs::write(&path, "version: 1\n").unwrap();
        let layers = chosen(path.to_str().unwrap()).layers().unwrap();
        assert_eq!(layers.wire().file.unwrap().text, "version: 1\n");
    }

    #[test]
    fn the_project_of_the_script_travels_as_text() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/x.py"), "1").unwrap();
        std::fs::write(
            folder.path().join(".saferun.yaml"),
            "version: 1\nlimits: {time: 1s}\n",
        )
        .unwrap();
        let set = [("limits.pids".to_owned(), "9".to_owned())];
        let script = folder.path().join("a/x.py");
        let chosen = Chosen {
            policy: None,
            set: &set,
            script: Some(&script),
        };
        let wire = chosen.layers().unwrap().wire();
        assert!(wire.project[0].name.ends_with("/.saferun.yaml"));
        assert!(wire.project[0].text.contains("time: 1s"));
        assert!(
            wire.settings
                .contains(&PolicySetting::new("limits.pids", "9"))
        );
        std::fs::remove_file(folder.path().join(".saferun.yaml")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join(".saferun.yaml")).unwrap();
        let refused = chosen.layers().unwrap_err();
        assert!(
            refused.message.contains("symbolic link"),
            "{}",
            refused.message
        );
    }
}
