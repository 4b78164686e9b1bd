//! Settings of the policy in the environment, as layers.

use std::ffi::OsString;

use saferun_policy::Source;

/// The layers that `SAFERUN_*` variables make, sorted by name, so that their order means nothing. Variables that
/// belong to other parts, and those that are no text, are left out; give it `std::env::vars_os()`.
pub fn variables(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Source> {
    let mut sources: Vec<Source> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Source::variable(&name, &value))
        .collect();
    sources.sort_by(|left, right| left.name.cmp(&right.name));
    sources
}

#[cfg(test)]
mod tests {
    use saferun_policy::LayerKind;

    use super::*;

    #[test]
    fn only_settings_of_the_policy_become_layers() {
        let environment = [
            ("SAFERUN_SOCKET", "/run/x"),
            ("SAFERUN_POLICY", "strict"),
            ("SAFERUN_LIMITS_TIME", "5s"),
            ("SAFERUN_LIMITS_MEMORY_MAX", ""),
            ("HOME", "/root"),
        ];
        let pairs = environment.map(|(name, value)| (name.into(), value.into()));
        let sources = variables(pairs);
        let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(names, ["SAFERUN_LIMITS_TIME", "SAFERUN_POLICY"]);
        assert!(
            sources
                .iter()
                .all(|source| source.layer == LayerKind::Environment)
        );
    }
}
