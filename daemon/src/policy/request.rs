//! From a request to the policy that decides on it: its layers are put on top of the standing ones.

use std::sync::Arc;

use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::{Content, LayerKind, Source, preset_names};
use saferun_protocol::{
    ClientKind, Code, MAX_POLICY_SETTINGS, MAX_POLICY_TEXTS, PolicyLayers, PolicyText, RunRequest,
};

use super::{Resolved, Snapshot};

/// Longest name of a text, in bytes.
const MAX_NAME: usize = 4096;

/// What a request says of the policy.
pub(crate) struct Asked<'request> {
    /// Name of a preset.
    pub(crate) preset: Option<&'request str>,
    pub(crate) layers: &'request PolicyLayers,
    pub(crate) client: ClientKind,
    /// Whether a person is there, by the client's own word.
    pub(crate) person_present: bool,
}

impl<'request> Asked<'request> {
    /// What a run says.
    pub(crate) fn of(request: &'request RunRequest) -> Self {
        Self {
            preset: request.policy.as_deref(),
            layers: &request.policy_layers,
            client: request.client,
            person_present: request.person_present,
        }
    }

    /// The policy for it.
    ///
    /// # Errors
    /// A name that no policy has, a text with mistakes, too many of them; or that no policy holds at all.
    pub(crate) fn resolve(&self, snapshot: &Snapshot) -> Result<Arc<Resolved>, ErrorObjectOwned> {
        if let Some(why) = &snapshot.blocked {
            return Err(Code::PolicyInvalid.error(
                format!("no policy holds, so nothing runs: {why}"),
                "mend the file; it is read again at once",
            ));
        }
        let sources = self.sources(snapshot.policy().override_rules.unattended)?;
        snapshot.with(&sources).map_err(|diagnostics| {
            let errors = diagnostics.0.iter().filter(|found| found.is_error());
            let text: Vec<String> = errors.map(ToString::to_string).collect();
            Code::PolicyInvalid.error(
                text.join("\n"),
                "mend the policy text; `saferunctl policy check FILE` shows every mistake",
            )
        })
    }

    /// The layers of the request. Scripts may replace the owner's words where the owner lets them (`unattended`).
    fn sources(&self, unattended: bool) -> Result<Vec<Source>, ErrorObjectOwned> {
        let layers = self.layers;
        if layers.project.len() > MAX_POLICY_TEXTS || layers.settings.len() > MAX_POLICY_SETTINGS {
            return Err(Code::InvalidRequest.error(
                "the request has too many policy layers",
                format!(
                    "at most {MAX_POLICY_TEXTS} project files and {MAX_POLICY_SETTINGS} settings"
                ),
            ));
        }
        let mut sources = Vec::new();
        for text in &layers.project {
            sources.push(yaml(LayerKind::Project, text)?);
        }
        for setting in &layers.settings {
            let variable = setting.name.starts_with("SAFERUN_");
            let source = if variable {
                Source::variable(&setting.name, &setting.value)
            } else {
                Some(Source::flag("--set", &setting.name, &setting.value))
            };
            let source = source.ok_or_else(|| {
                Code::InvalidRequest.error(
                    format!("{:?} is no setting of the policy", setting.name),
                    "docs/policy.md lists the keys",
                )
            })?;
            if let Content::Setting { key, value } = &source.content
                && key == "preset"
            {
                known(value)?;
            }
            sources.push(source);
        }
        if let Some(name) = self.preset {
            known(name)?;
            sources.push(Source::flag("--policy", "preset", name));
        }
        if let Some(text) = &layers.file {
            sources.push(yaml(LayerKind::Flags, text)?);
        }
        // Who calls without a person does not choose a wider policy than its owner's.
        Ok(match self.client {
            ClientKind::Agent | ClientKind::Watch => {
                sources.into_iter().map(Source::tightening).collect()
            }
            ClientKind::Terminal | ClientKind::Editor => sources,
            // A script, or a kind that came later.
            _ if self.person_present || unattended => sources,
            _ => sources.into_iter().map(Source::choosing).collect(),
        })
    }
}

fn yaml(layer: LayerKind, text: &PolicyText) -> Result<Source, ErrorObjectOwned> {
    if text.name.len() > MAX_NAME {
        return Err(Code::InvalidRequest.error(
            format!("the name of a policy text has more than {MAX_NAME} bytes"),
            "give the path as a person knows it",
        ));
    }
    Ok(Source::yaml(layer, text.name.clone(), text.text.clone()))
}

fn known(name: &str) -> Result<(), ErrorObjectOwned> {
    if preset_names().contains(&name) {
        return Ok(());
    }
    Err(Code::UnknownPolicy.error(
        format!("there is no policy called {name:?}"),
        format!(
            "use one of {}, or name a policy file",
            preset_names().join(", ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use saferun_policy::load;
    use saferun_protocol::PolicySetting;

    use super::*;

    fn snapshot(user: &str) -> Snapshot {
        let sources = vec![Source::yaml(LayerKind::User, "u", user)];
        let loaded = load(&sources).unwrap();
        Snapshot::new(sources, loaded, Vec::new(), 1)
    }

    fn resolve(
        snapshot: &Snapshot,
        client: ClientKind,
        change: impl FnOnce(&mut RunRequest),
    ) -> Result<Arc<Resolved>, ErrorObjectOwned> {
        let mut request = RunRequest::new("");
        request.client = client;
        change(&mut request);
        Asked::of(&request).resolve(snapshot)
    }

    #[test]
    fn each_layer_of_a_request_stands_in_its_place() {
        let standing = snapshot("version: 1\nlimits: {pids: 50}\n");
        let loaded = resolve(&standing, ClientKind::Terminal, |request| {
            request.policy = Some("strict".to_owned());
            let layers = &mut request.policy_layers;
            layers.project = vec![PolicyText::new("p", "version: 1\nlimits: {time: 2s}\n")];
            layers.settings = vec![
                PolicySetting::new("SAFERUN_LIMITS_QUEUE", "3"),
                PolicySetting::new("limits.concurrency", "1"),
            ];
            layers.file = Some(PolicyText::new("f", "version: 1\nlimits: {output: 2KiB}\n"));
        })
        .unwrap();
        let limits = &loaded.policy.limits;
        assert_eq!(loaded.policy.name, "strict");
        assert_eq!(
            (limits.pids.max, limits.queue, limits.concurrency),
            (50, 3, 1)
        );
        assert_eq!(limits.time.max, Duration::from_secs(2));
        assert_eq!(limits.output.max.get(), 2048);
    }

    #[test]
    fn what_came_with_the_code_or_from_an_agent_only_tightens() {
        let standing = snapshot("version: 1\nlimits: {time: 5s}\n");
        let wide = "version: 1\nlimits: {time: {max: 1h}}\nlevels: {BLOCKED: run}\n";
        let project = resolve(&standing, ClientKind::Terminal, |request| {
            request.policy_layers.project = vec![PolicyText::new("p", wide)];
        })
        .unwrap();
        assert_eq!(project.policy.limits.time.max, Duration::from_secs(5));
        assert_eq!(project.policy.levels, standing.policy().levels);
        assert!(
            project
                .warnings
                .iter()
                .any(|warning| warning.contains("would widen"))
        );
        for client in [ClientKind::Agent, ClientKind::Watch] {
            let agent = resolve(&standing, client, |request| {
                request.policy = Some("permissive".to_owned());
                request.policy_layers.settings = vec![PolicySetting::new("limits.time", "1h")];
                request.policy_layers.file = Some(PolicyText::new("f", wide));
            })
            .unwrap();
            assert_eq!(agent.policy.limits.time.max, Duration::from_secs(5));
            assert_eq!(agent.policy.levels, standing.policy().levels);
        }
    }

    /// Whether a request may loosen what its owner said, by who it says that it is.
    #[test]
    fn who_has_no_person_loosens_nothing_unless_the_owner_says_so() {
        use ClientKind::{Agent, Editor, Other, Terminal, Watch};
        let closed =
            "version: 1\nlevels: {BLOCKED: refuse}\nimports: {block: [csv]}\nruntime: runsc\n";
        let open = format!("{closed}override: {{unattended: true}}\n");
        let wide = "version: 1\nlevels: {BLOCKED: run}\nimports: {allow: [csv]}\nnetwork: loopback\nruntime: runc\n";
        for (user, client, person, loosens) in [
            (closed, Terminal, true, true),
            (closed, Terminal, false, true),
            (closed, Editor, false, true),
            (closed, Other, true, true),
            (closed, Other, false, false),
            (closed, Agent, true, false),
            (closed, Watch, false, false),
            (open.as_str(), Other, false, true),
            (open.as_str(), Agent, false, false),
            (open.as_str(), Watch, false, false),
        ] {
            let standing = snapshot(user);
            let says: [&dyn Fn(&mut RunRequest); 4] = [
                &|request| request.policy_layers.file = Some(PolicyText::new("f", wide)),
                &|request| request.policy = Some("permissive".to_owned()),
                &|request| {
                    let levels = PolicySetting::new("levels.BLOCKED", "run");
                    let names = PolicySetting::new("imports.allow", "csv");
                    let network = PolicySetting::new("network", "loopback");
                    request.policy_layers.settings = vec![levels, names, network];
                },
                &|request| {
                    request.policy_layers.settings =
                        vec![PolicySetting::new("SAFERUN_LEVELS_BLOCKED", "run")];
                },
            ];
            for (number, say) in says.into_iter().enumerate() {
                let found = resolve(&standing, client, |request| {
                    request.person_present = person;
                    say(request);
                })
                .unwrap();
                let what = format!("{number}: {client:?}, person: {person}, under {user}");
                let (policy, owner) = (&found.policy, standing.policy());
                assert_eq!(policy.levels != owner.levels, loosens, "{what}");
                if !loosens {
                    assert_eq!(policy.network, owner.network, "{what}");
                    assert_eq!(policy.runtime, owner.runtime, "{what}");
                    assert!(
                        found
                            .warnings
                            .iter()
                            .any(|one| one.contains("only tightens")),
                        "{what}: {:?}",
                        found.warnings
                    );
                }
            }
        }
    }

    #[test]
    fn a_script_chooses_limits_up_to_the_maximum() {
        let standing = snapshot("version: 1\nlimits: {time: {default: 5s, max: 1m}}\n");
        for (asked, default, told) in [("20s", 20, false), ("1h", 60, true)] {
            let found = resolve(&standing, ClientKind::Other, |request| {
                request.policy_layers.settings =
                    vec![PolicySetting::new("limits.time.default", asked)];
            })
            .unwrap();
            let time = found.policy.limits.time;
            assert_eq!(time.default, Duration::from_secs(default), "{asked}");
            assert_eq!(time.max, Duration::from_mins(1), "{asked}");
            let above = |one: &String| one.contains("above the maximum");
            assert_eq!(
                found.warnings.iter().any(above),
                told,
                "{asked}: {:?}",
                found.warnings
            );
        }
    }

    #[test]
    fn a_preset_that_a_script_names_keeps_the_share_that_its_owner_keeps_for_people() {
        use saferun_policy::{ClientKind as Kind, RateWindows};
        let standing = snapshot("version: 1\n");
        for (client, person, counts_as, runs, places) in [
            (ClientKind::Other, false, Kind::Agent, 7, 1),
            (ClientKind::Agent, false, Kind::Agent, 7, 1),
            (ClientKind::Other, true, Kind::Agent, 10, 2),
            (ClientKind::Terminal, true, Kind::Terminal, 10, 2),
        ] {
            let found = resolve(&standing, client, |request| {
                request.person_present = person;
                request.policy = Some("secure-sandbox".to_owned());
            })
            .unwrap();
            let limits = &found.policy.limits;
            let mut windows = RateWindows::default();
            let let_in = (0..60_000).step_by(1000).filter(|now| {
                let code = now.to_string();
                windows
                    .admit(*now, 1, counts_as, &code, &limits.rate)
                    .is_ok()
            });
            assert_eq!(let_in.count(), runs, "{client:?}, person: {person}");
            assert_eq!(limits.places_for(counts_as), places, "{client:?}");
        }
    }

    #[test]
    fn a_script_may_say_in_a_file_which_paths_it_leaves() {
        let standing = snapshot("version: 1\n");
        let text = "version: 1\npaths: {default: block, allow: [/tmp/**]}\n";
        for client in [ClientKind::Other, ClientKind::Agent, ClientKind::Terminal] {
            let found = resolve(&standing, client, |request| {
                request.policy_layers.file = Some(PolicyText::new("mine.yaml", text));
            });
            assert!(found.is_ok(), "{client:?}: {:?}", found.err());
        }
        // What may not stand there is named with its line and with what to do.
        let wrong = "version: 1\nlimits: {time: 1s}\nalerts: {command: [/bin/true]}\n";
        let error = resolve(&standing, ClientKind::Other, |request| {
            request.policy_layers.file = Some(PolicyText::new("mine.yaml", wrong));
        })
        .unwrap_err();
        for part in ["mine.yaml:3", "`alerts.command`", "put it into your user"] {
            assert!(error.message().contains(part), "{}", error.message());
        }
        assert!(
            !error.message().contains("project's"),
            "{}",
            error.message()
        );
    }

    #[test]
    fn a_key_on_which_nothing_acts_is_told_to_whoever_brings_it() {
        let text = "version: 1\nlanguages: {shell: {calls: {block: [rm]}}}\n";
        let standing = snapshot(text);
        let quiet = resolve(&standing, ClientKind::Terminal, |_| {}).unwrap();
        assert_eq!(quiet.warnings, [""; 0]);
        let told = resolve(&standing, ClientKind::Terminal, |request| {
            request.policy_layers.project = vec![PolicyText::new("p", text)];
        });
        let warnings = &told.unwrap().warnings;
        assert!(
            warnings
                .iter()
                .any(|one| one.contains("nothing acts on `languages.shell`")),
            "{warnings:?}"
        );
    }

    #[test]
    fn no_request_names_a_command_or_lets_itself_override() {
        let standing = snapshot("version: 1\n");
        for text in [
            "version: 1\nalerts: {command: [/bin/sh]}\n",
            "version: 1\noverride: {unattended: true}\n",
            "version: 1\nenforcement: best_effort\n",
            "version: 1\nwatch: {roots: [/]}\n",
        ] {
            for client in [ClientKind::Terminal, ClientKind::Agent] {
                let error = resolve(&standing, client, |request| {
                    request.policy_layers.file = Some(PolicyText::new("f", text));
                })
                .unwrap_err();
                assert_eq!(error.code(), Code::PolicyInvalid.number(), "{text}");
            }
        }
        let error = resolve(&standing, ClientKind::Terminal, |request| {
            request.policy_layers.settings =
                vec![PolicySetting::new("SAFERUN_OVERRIDE_UNATTENDED", "true")];
        })
        .unwrap_err();
        assert_eq!(error.code(), Code::PolicyInvalid.number());
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_hostile_texts_end_soon() {
        let standing = snapshot("version: 1\n");
        let began = std::time::Instant::now();
        let error = |text: &str| {
            resolve(&standing, ClientKind::Terminal, |request| {
                request.policy_layers.project = vec![PolicyText::new("/p/.saferun.yaml", text)];
            })
            .unwrap_err()
        };
        let found = error("version: 1\nlimts: {}\n");
        assert!(
            found.message().contains("/p/.saferun.yaml:2"),
            "{}",
            found.message()
        );
        for hostile in [
            "[".repeat(64 * 1024),
            "{a: ".repeat(16 * 1024),
            "- ".repeat(32 * 1024),
            format!("version: 1\nx: {}", "&a *a ".repeat(10_000)),
            "a".repeat(64 * 1024 + 1),
        ] {
            assert_eq!(error(&hostile).code(), Code::PolicyInvalid.number());
        }
        // Milliseconds each; the bound is for a machine that compiles meanwhile.
        assert!(began.elapsed() < Duration::from_secs(20));
        let many = resolve(&standing, ClientKind::Terminal, |request| {
            request.policy_layers.project = vec![PolicyText::default(); MAX_POLICY_TEXTS + 1];
        });
        assert_eq!(many.unwrap_err().code(), Code::InvalidRequest.number());
        let unknown = resolve(&standing, ClientKind::Terminal, |request| {
            request.policy = Some("none".to_owned());
        });
        assert_eq!(unknown.unwrap_err().code(), Code::UnknownPolicy.number());
    }
}
