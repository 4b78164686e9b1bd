//! `/proc/PID/status` and `/proc/PID/uid_map` as text.

/// The value of one line, its inner white space made single.
pub(super) fn line(status: &str, name: &str) -> Option<String> {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(value.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The five capability sets without leading zeros; `None` if one is missing.
pub(super) fn capabilities(status: &str) -> Option<String> {
    let sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map(|name| line(status, name));
    let sets = sets.into_iter().collect::<Option<Vec<_>>>()?;
    Some(masks(&sets))
}

/// Hexadecimal masks without leading zeros.
pub(super) fn masks(sets: &[String]) -> String {
    let short = |set: &String| match set.trim_start_matches('0') {
        "" if !set.is_empty() => "0".to_owned(),
        rest => rest.to_owned(),
    };
    sets.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// The groups besides `own`.
pub(super) fn extra_groups(groups: impl Iterator<Item = u32>, own: u32) -> String {
    let extra: Vec<String> = groups
        .filter(|group| *group != own)
        .map(|group| group.to_string())
        .collect();
    if extra.is_empty() {
        "none".to_owned()
    } else {
        extra.join(" ")
    }
}

/// The id that the host sees for an id inside, by the map of the container's user namespace.
pub(super) fn on_host(map: &str, inside: u32) -> Option<u32> {
    map.lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (first, host, count) = (
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
        );
        let offset = inside.checked_sub(first).filter(|offset| *offset < count)?;
        host.checked_add(offset)
    })
}
