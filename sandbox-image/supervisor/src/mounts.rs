//! `/proc/self/mountinfo`: what is mounted, and what of it can be written. Parsing is pure.

/// Pseudo file systems: no data of a program lives there.
const PSEUDO: [&str; 14] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "fusectl",
    "mqueue",
    "proc",
    "securityfs",
    "sysfs",
    "tracefs",
];

/// One line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// What of the file system is mounted here.
    pub(crate) root: String,
    /// Where, with the kernel's octal escapes.
    pub(crate) point: String,
    /// Options of this mount and of its file system, joined by commas.
    pub(crate) options: String,
    /// File system type.
    pub(crate) kind: String,
    read_only: bool,
}

impl Mount {
    /// Whether data can be written here. A device node that masks a file is not a place for data.
    pub(crate) fn is_writable(&self) -> bool {
        !self.read_only && !PSEUDO.contains(&self.kind.as_str()) && self.root != "/null"
    }

    pub(crate) fn is_writable_tmpfs(&self) -> bool {
        self.is_writable() && self.kind == "tmpfs"
    }

    /// `POINT TYPE OPTIONS`.
    pub(crate) fn describe(&self) -> String {
        format!("{} {} {}", self.point, self.kind, self.options)
    }
}

/// Parses mountinfo; lines that do not follow the format are left out.
pub(crate) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    // 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    let (mount, file_system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, point, own) = (mount.next()?, mount.next()?, mount.next()?);
    let mut file_system = file_system.split(' ');
    let (kind, _source, shared) = (
        file_system.next()?,
        file_system.next()?,
        file_system.next()?,
    );
    let read_only = [own, shared]
        .iter()
        .any(|options| options.split(',').any(|o| o == "ro"));
    let options = format!("{own},{shared}");
    Some(Mount {
        root: root.into(),
        point: point.into(),
        options,
        kind: kind.into(),
        read_only,
    })
}

/// Whether `/` is read-only; `None` if it is not listed. Of mounts on top of each other the last counts.
pub(crate) fn root_read_only(mounts: &[Mount]) -> Option<bool> {
    mounts
        .iter()
        .rev()
        .find(|mount| mount.point == "/")
        .map(|mount| mount.read_only)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = "\
583 452 0:56 / / ro,relatime master:171 - overlay overlay rw,lowerdir=/a:/b
584 583 0:58 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
585 583 0:59 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
591 583 0:62 / /tmp rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,size=65536k
592 584 0:59 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
593 584 0:63 / /proc/scsi ro,relatime - tmpfs tmpfs ro
nonsense
594 583 0:64 / /with\\040space rw - tmpfs tmpfs rw,size=1k
";

    #[test]
    fn a_container_shows_its_writable_places() {
        let mounts = parse(DOCKER);
        assert_eq!(mounts.len(), 7);
        assert_eq!(root_read_only(&mounts), Some(true));
        let writable: Vec<_> = mounts
            .iter()
            .filter(|m| m.is_writable())
            .map(|m| &*m.point)
            .collect();
        assert_eq!(writable, ["/dev", "/tmp", "/with\\040space"]);
        assert_eq!(
            mounts[3].describe(),
            "/tmp tmpfs rw,nosuid,nodev,noexec,relatime,rw,size=65536k"
        );
    }

    #[test]
    fn no_root_is_not_a_read_only_root() {
        assert_eq!(root_read_only(&[]), None);
    }
}
