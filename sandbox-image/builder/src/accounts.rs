//! Who is known in a sandbox: root, nobody, and one name for all uids that sandboxes run with.

use std::fmt::Write;

/// First uid that containers run with; no account of the host should have it.
pub const SANDBOX_UID_BASE: u32 = 890_000;
/// How many uids there are, each for one live container.
pub const SANDBOX_UID_COUNT: u32 = 256;

/// Where the program's HOME is.
pub(crate) const HOME: &str = "/home/sandbox";

/// `/etc/passwd`.
pub(crate) fn passwd() -> String {
    let mut text = String::from(
        "root:x:0:0:root:/root:/usr/sbin/nologin\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    );
    for uid in SANDBOX_UID_BASE..SANDBOX_UID_BASE + SANDBOX_UID_COUNT {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "sandbox:x:{uid}:{uid}::{HOME}:/bin/sh");
    }
    text
}

/// `/etc/group`.
pub(crate) fn group() -> String {
    let mut text = String::from("root:x:0:\nnogroup:x:65534:\n");
    for gid in SANDBOX_UID_BASE..SANDBOX_UID_BASE + SANDBOX_UID_COUNT {
        let _ = writeln!(text, "sandbox:x:{gid}:");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_uid_of_the_range_has_the_name() {
        let passwd = passwd();
        let lines: Vec<&str> = passwd.lines().collect();
        assert_eq!(lines.len(), 2 + SANDBOX_UID_COUNT as usize);
        assert_eq!(lines[2], "sandbox:x:890000:890000::/home/sandbox:/bin/sh");
        assert_eq!(lines[257], "sandbox:x:890255:890255::/home/sandbox:/bin/sh");
        assert!(lines.iter().all(|line| line.split(':').count() == 7));
        assert!(group().lines().all(|line| line.split(':').count() == 4));
    }
}
