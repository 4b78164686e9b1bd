//! The writable mounts in canonical words: `POINT size=BYTES mode=OCTAL FLAGS`, sorted.

use super::expected::visible_flags;
use crate::engine::{SHM_BYTES, Template};

/// Tmpfs mounts that runtimes make for themselves. They belong to root with mode 755, so that the
/// sandbox's uid cannot write there although the mount is not read-only.
const ROOTS_OWN: [&str; 2] = ["/dev", "/sys/fs/cgroup"];

/// What must be there.
pub(super) fn expected(template: &Template) -> String {
    let flags = visible_flags(template).join(",");
    let size = template.tmpfs_bytes.next_multiple_of(4096);
    let mut all: Vec<String> = template
        .writable
        .paths()
        .map(|point| format!("{point} size={size} mode=700 {flags}"))
        .chain([format!("/dev/shm size={SHM_BYTES} mode=1777 {flags}")])
        .collect();
    all.sort_unstable();
    all.join("; ")
}

/// What the supervisor saw, each as `POINT TYPE OPTIONS`.
pub(super) fn seen(mounts: &[String], template: &Template) -> String {
    let mut all: Vec<String> = mounts
        .iter()
        .filter(|mount| !is_roots_own(mount))
        .map(|mount| canonical(mount, template))
        .collect();
    all.sort_unstable();
    all.join("; ")
}

fn is_roots_own(mount: &str) -> bool {
    let Some((point, kind, options)) = parts(mount) else {
        return false;
    };
    ROOTS_OWN.contains(&point)
        && kind == "tmpfs"
        && mode(options) == "755"
        && option(options, "uid").is_none_or(|uid| uid == "0")
}

/// A mount that is no tmpfs, or whose text is strange, stays as it is and so matches nothing.
fn canonical(mount: &str, template: &Template) -> String {
    let Some((point, "tmpfs", options)) = parts(mount) else {
        return mount.to_owned();
    };
    let Some(size) = option(options, "size").and_then(bytes) else {
        return mount.to_owned();
    };
    let size = size.next_multiple_of(4096);
    let mut flags = visible_flags(template);
    flags.retain(|flag| options.split(',').any(|option| option == *flag));
    format!(
        "{point} size={size} mode={} {}",
        mode(options),
        flags.join(",")
    )
}

fn parts(mount: &str) -> Option<(&str, &str, &str)> {
    let mut parts = mount.splitn(3, ' ');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

fn option<'a>(options: &'a str, name: &str) -> Option<&'a str> {
    options
        .split(',')
        .find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
}

/// Octal, without leading zeros; the kernel leaves out a tmpfs's default, 1777.
fn mode(options: &str) -> &str {
    option(options, "mode").map_or("1777", |mode| mode.trim_start_matches('0'))
}

/// `8192k` as the kernel says, or plain bytes as gVisor does.
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1024),
        None => (text, 1),
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)?
        .checked_next_multiple_of(4096)
}
