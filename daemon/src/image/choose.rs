//! Which image a run gets: what the request or the policy names, else the cheapest that has what the
//! script imports. Pure.

use saferun_packages::{declared, is_standard, project_of, top_level};
use saferun_policy::Variant;
use saferun_scanner::{Report, UsageKind};

use super::{VARIANT, Wanted};

/// What a script needs besides the standard library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Top-level modules that it imports.
    pub(crate) modules: Vec<String>,
    /// Projects, in normal form: those of the modules and those that a PEP 723 header declares.
    pub(crate) projects: Vec<String>,
}

impl Needs {
    /// Adds what another file of the same run needs.
    pub(crate) fn add(&mut self, other: Self) {
        self.modules.extend(other.modules);
        self.projects.extend(other.projects);
        for names in [&mut self.modules, &mut self.projects] {
            names.sort_unstable();
            names.dedup();
        }
        self.modules.truncate(64);
    }

    /// Takes out what comes with the run.
    pub(crate) fn bring(&mut self, module: &str) {
        let project = project_of(module);
        self.modules.retain(|known| known != module);
        self.projects.retain(|known| *known != project);
    }

    /// Of a script and its scan. `own` is the script's file name: what it would import is local.
    pub(crate) fn of(source: &[u8], report: &Report, own: &str) -> Self {
        let own = own.strip_suffix(".py").unwrap_or(own);
        let mut modules: Vec<String> = report
            .usages
            .iter()
            .filter(|usage| usage.kind == UsageKind::Import)
            .filter_map(|usage| top_level(&usage.name))
            .filter(|module| !is_standard(module) && *module != own)
            .map(str::to_owned)
            .collect();
        modules.sort_unstable();
        modules.dedup();
        modules.truncate(64);
        let mut projects: Vec<String> = modules.iter().map(|module| project_of(module)).collect();
        projects.extend(declared(&String::from_utf8_lossy(source)));
        projects.sort_unstable();
        projects.dedup();
        Self { modules, projects }
    }
}

/// The variant for these needs, or what is wrong with the one asked for. `built` tells which have a
/// current image; a variant that is not built is never chosen, only named.
pub(crate) fn choose(
    asked: Option<&str>,
    policy: Variant,
    needs: &Needs,
    wanted: &[Wanted],
    built: impl Fn(&str) -> bool,
) -> Result<String, String> {
    let fixed = match policy {
        Variant::Auto => None,
        named => Some(named.as_str()),
    };
    match (asked, fixed) {
        (Some(asked), Some(fixed)) if asked != fixed => {
            return Err(format!(
                "the policy says `image.variant: {fixed}`, so the image {asked} is not to be had"
            ));
        }
        (Some(name), _) | (None, Some(name)) => {
            if wanted.iter().any(|known| known.variant == name) {
                return Ok(name.to_owned());
            }
            let names: Vec<&str> = wanted.iter().map(|known| known.variant.as_str()).collect();
            return Err(format!(
                "there is no image called `{name}`; there are: {}",
                names.join(", ")
            ));
        }
        (None, None) => {}
    }
    let has = |candidate: &Wanted| {
        let found = needs.projects.iter();
        found
            .filter(|name| candidate.projects.contains(name))
            .count()
    };
    let mut best = (VARIANT, 0);
    // Cheapest first, so an equal one later is no better.
    for candidate in wanted.iter().filter(|one| built(&one.variant)) {
        let count = has(candidate);
        if count > best.1 {
            best = (&candidate.variant, count);
        }
    }
    Ok(best.0.to_owned())
}

/// Modules that the script imports and this variant does not have.
pub(crate) fn absent<'a>(needs: &'a Needs, variant: Option<&Wanted>) -> Vec<&'a str> {
    let has = |module: &str| {
        variant.is_some_and(|variant| variant.projects.contains(&project_of(module)))
    };
    needs
        .modules
        .iter()
        .map(String::as_str)
        .filter(|module| !has(module))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Vec<Wanted> {
        let one = |variant: &str, projects: &[&str]| Wanted {
            variant: variant.to_owned(),
            digest: String::new(),
            projects: projects.iter().map(|&name| name.to_owned()).collect(),
        };
        vec![
            one("python", &[]),
            one("python-data", &["numpy", "pandas"]),
            one("mine", &["numpy", "humanize"]),
        ]
    }

    fn needs(source: &str) -> Needs {
        let report = saferun_scanner::scan(source, &saferun_scanner::Options::default());
        Needs::of(source.as_bytes(), &report, "job.py")
    }

    fn chosen(asked: Option<&str>, policy: Variant, source: &str) -> Result<String, String> {
        choose(asked, policy, &needs(source), &wanted(), |name| {
            name != "unbuilt"
        })
    }

    #[test]
    fn the_cheapest_that_has_the_imports_is_taken() {
        for (source, variant) in [
            ("import json, os.path", "python"),
            ("import numpy as np", "python-data"),
            ("def f():\n    from pandas.core import x", "python-data"),
            ("import humanize, numpy", "mine"),
            ("import torch", "python"),
            ("import job, json", "python"),
            (
                "# /// script\n# dependencies = ['Humanize>1']\n# ///\n",
                "mine",
            ),
            ("__import__('numpy')", "python-data"),
        ] {
            assert_eq!(
                chosen(None, Variant::Auto, source).as_deref(),
                Ok(variant),
                "{source}"
            );
        }
    }

    #[test]
    fn what_is_not_built_is_not_taken() {
        let needs = needs("import numpy");
        let choice = choose(None, Variant::Auto, &needs, &wanted(), |name| {
            name == "python"
        });
        assert_eq!(choice.as_deref(), Ok("python"));
        assert_eq!(absent(&needs, wanted().first()), ["numpy"]);
        assert_eq!(absent(&needs, wanted().get(1)), [""; 0]);
    }

    #[test]
    fn a_name_wins_unless_the_policy_names_another() {
        assert_eq!(
            chosen(Some("mine"), Variant::Auto, "import pandas").as_deref(),
            Ok("mine")
        );
        assert_eq!(
            chosen(None, Variant::Python, "import pandas").as_deref(),
            Ok("python")
        );
        assert!(chosen(Some("mine"), Variant::Python, "").is_err());
        assert!(chosen(Some("nope"), Variant::Auto, "").is_err_and(|why| why.contains("mine")));
        assert!(chosen(None, Variant::Node, "").is_err());
    }
}
