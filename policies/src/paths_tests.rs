//! What patterns over paths match, allow and refuse.

use super::*;

fn texts(path: &str) -> Vec<String> {
    let readings = Reading::of_path(path);
    readings
        .iter()
        .map(|reading| reading.text.to_string())
        .collect()
}

fn says(pattern: &str, path: &str, say: Say) -> Vec<bool> {
    let pattern = PathPattern::parse(pattern).unwrap();
    Reading::of_path(path)
        .iter()
        .map(|reading| pattern.spoken(reading, say).is_some())
        .collect()
}

fn allowed(pattern: &str, path: &str) -> bool {
    says(pattern, path, Say::Allow).into_iter().all(|yes| yes)
}

fn blocked(pattern: &str, path: &str) -> bool {
    says(pattern, path, Say::Block).contains(&true)
}

#[test]
fn a_path_is_read_in_each_of_its_meanings() {
    for (path, readings) in [
        ("/etc/passwd", &["/etc/passwd"] as &[&str]),
        ("/etc//./passwd/", &["/etc/passwd"]),
        ("//etc/passwd", &["/etc/passwd"]),
        ("/tmp/../etc/passwd", &["/etc/passwd", "/tmp/../etc/passwd"]),
        ("/../etc", &["/etc", "/../etc"]),
        ("./a/", &["a"]),
        (".", &["."]),
        ("./", &["."]),
        ("/", &["/"]),
        ("///", &["/"]),
        ("a/..", &[".", "a/.."]),
        ("a/../../b", &["../b", "a/../../b"]),
        ("../../b", &["../../b"]),
        ("~/../b", &["~/../b"]),
        ("~/a/../../b", &["~/../b", "~/a/../../b"]),
        ("a/~/../b", &["a/b", "a/~/../b"]),
        ("...", &["..."]),
        ("a/..b", &["a/..b"]),
        ("", &[""]),
        ("$HOME/.ssh", &["$HOME/.ssh", "~/.ssh"]),
        ("file:///etc/passwd", &["file:/etc/passwd", "/etc/passwd"]),
    ] {
        assert_eq!(texts(path), readings, "{path}");
    }
}

#[test]
fn what_is_allowed_is_allowed_in_every_meaning() {
    for (pattern, path, answer) in [
        ("/tmp/**", "/tmp/a", true),
        ("/tmp/**", "/tmp//a/./b/", true),
        ("/tmp/**", "/tmp/a/../b", true),
        ("/tmp/**", "/tmp/../etc/passwd", false),
        ("/tmp/**", "/tmp/a/../../etc/passwd", false),
        ("/etc/**", "/tmp/../etc/passwd", false),
        ("/tmp", "/tmp/x", true),
        ("/tmp/", "/tmp/x", true),
        ("/tmp/./data//", "/tmp/data/x", true),
        ("/tmp/../data", "/data/x", true),
        ("/tmp/*/../data", "/tmp/data/x", false),
        ("/", "/tmp/x", true),
        ("/", "tmp/x", false),
        ("~/data/**", "~/data/../.ssh/id_rsa", false),
        ("~/**", "~/../../etc/passwd", false),
        ("~/**", "~/a/../b", true),
        ("data/**", "data/../../x", false),
        ("data/**", "./data/x", true),
        ("./data/**", "data/x", true),
        ("./**", "data/x", true),
        ("./**", "/etc/passwd", false),
        ("./**", "../x", false),
        ("./**", "~/x", false),
        (".", "data/x", true),
        (".", "/etc/passwd", false),
        (".", "data/../../x", false),
        ("*/**", "../x", false),
        ("../**", "../x", true),
        ("../**", "../../x", false),
        ("**", "../x", true),
        ("**/*.txt", "../a/notes.txt", true),
        ("./**", "./", true),
        ("data/../**", "data/x", true),
        ("data/../**", "/etc/shadow", false),
        ("data/../**", "~/.ssh/id_rsa", false),
        ("data/../**", "../x", false),
        ("data/../**/*.txt", "/a/notes.txt", false),
        ("*", "/etc/passwd", false),
        ("*/passwd", "/passwd", false),
        ("*/**", "~/.ssh/id_rsa", false),
        ("{*,a}", "/etc/passwd", false),
        ("{*,a}", "b/c", true),
        ("{/etc,~/a}/b", "/etc/b", true),
        ("{/etc,~/a}/b", "~/a/b", true),
        ("{?,a}/.ssh/**", "~/.ssh/id_rsa", false),
        ("{?,a}/.ssh/**", "a/.ssh/id_rsa", true),
        ("{[!a],b}etc/**", "/etc/passwd", false),
        ("{[!a],b}etc/**", "betc/passwd", true),
        ("{b,{?,a}}/.ssh/**", "~/.ssh/id_rsa", false),
        ("{,a}?/.ssh/**", "~/.ssh/id_rsa", false),
        ("{,a}[!b]etc/**", "/etc/passwd", false),
        ("{,a}{b,[!c]}etc/**", "/etc/passwd", false),
        ("{,a}*/**", "~/.ssh/id_rsa", false),
        ("*{?,a}/.ssh/**", "~/.ssh/id_rsa", false),
        ("{,a}/etc/*", "/etc/passwd", true),
        ("{~,/srv}/[a-c]", "~/b", true),
        ("?etc/**", "/etc/passwd", false),
        ("[!a]etc/**", "/etc/passwd", false),
        ("./**", "$HOME/.ssh/id_rsa", false),
        ("./**", "${HOME}/.ssh/id_rsa", false),
        ("./**", "file:///etc/passwd", false),
        ("**", "$HOME/.ssh/id_rsa", true),
        ("../**", "../..foo", true),
        ("/etc/{passwd,shadow}", "/etc/shadow", true),
        ("/etc/{passwd,shadow}", "/etc/shadow/x", true),
        ("/etc/{passwd,shadow}", "/etc/group", false),
        ("a{,.bak}", "a", true),
        ("a{,.bak}/**", "a.bak/x", true),
        ("a,b", "a,b/c", true),
        ("a,b", "a", false),
    ] {
        assert_eq!(allowed(pattern, path), answer, "{pattern} on {path}");
    }
}

#[test]
fn what_is_blocked_in_one_meaning_is_blocked() {
    for (pattern, path, answer) in [
        ("/etc/passwd", "/etc//passwd", true),
        ("/etc/passwd", "/etc/./passwd", true),
        ("/etc/passwd", "/etc/passwd/", true),
        ("/etc/passwd", "/tmp/../etc/passwd", true),
        ("/etc/passwd", "/proc/self/root/etc/passwd", true),
        ("/etc/passwd", "file:///etc/passwd", true),
        ("/etc/passwd", "../etc/passwd", true),
        ("/etc/passwd", "a/../../../etc/passwd", true),
        ("/etc/passwd", "~/../../etc/passwd", true),
        ("/etc/passwd", "etc/passwd", false),
        ("/etc//passwd", "/etc/passwd", true),
        ("/etc/", "/etc/passwd", true),
        ("/", "/etc/passwd", true),
        ("/tmp/**", "/tmp/../etc/passwd", true),
        ("~/.ssh/**", "~/x/../.ssh/id_rsa", true),
        ("~/.ssh/**", "~/.ssh", false),
        ("~/.ssh", "~//.ssh/id_rsa", true),
        ("~/.ssh/**", "/root/.ssh/id_rsa", true),
        ("~/.ssh/**", "~ann/.ssh/id_rsa", true),
        ("**/*.pem", "/x/../y/key.pem", true),
        ("secret", "./secret/x", true),
        ("./secret", "secret/x", true),
        ("./secret", "/secret/x", false),
        (".", "./x", true),
        (".*", "./x", false),
        ("/foo", "../..foo", false),
        ("/..foo", "../..foo", true),
        ("/kit", "/proc/self/rootkit", false),
        ("/etc/{passwd,ssh/{a,b}}", "/etc/ssh/b/key", true),
        ("**", "/", true),
        ("/", "/", true),
        ("a**", "abc/d", true),
    ] {
        assert_eq!(blocked(pattern, path), answer, "{pattern} on {path}");
    }
}

#[test]
fn what_would_match_nothing_at_a_brace_is_no_pattern() {
    for text in [
        "/etc/{./passwd,shadow}",
        "/etc/{../passwd,shadow}",
        "/{a,..}/b",
        "/etc/{/passwd,/shadow}",
        "{a/,b}/c",
        "/etc/{,ssh}/key",
        "/etc/{,ssh}",
        "a/{b,c/}",
        "{.,x}/y",
        "{a/b,{c,./d}}",
        "a/.{/b,.}",
        "{,a}",
        "{,a}{,b}",
    ] {
        assert!(PathPattern::parse(text).is_err(), "{text}");
    }
    for text in [
        "{a,b}",
        "{/etc,/usr}/x",
        "a{/b,}",
        "a{/b,/c}/d",
        "/{.ssh,.aws}/key",
        "/etc/{passwd,..d}",
        "../{a,b}",
        "{a,b}/../c",
        "a{,.bak}",
        "[{,]./x",
        "/x/\\{a/b",
        "/x/{a//b,c/./d}",
        ".",
        "/",
        "./",
    ] {
        assert!(PathPattern::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_pattern_lies_outside_where_one_of_its_choices_does() {
    for (pattern, outside) in [
        ("/etc/passwd", true),
        ("~/x", true),
        ("../x", true),
        ("{/etc,x}/shadow", true),
        ("{x,{y,~}}/shadow", true),
        ("{,a}/etc/shadow", true),
        ("{,a}{,b}~/x", true),
        ("\\/etc/shadow", true),
        ("*/etc/shadow", false),
        ("a/{b,~}/c", false),
        ("{a,b}/c", false),
        ("[/~]x", false),
        ("a{/etc,x}", false),
        ("data/**", false),
        ("**/*.txt", false),
        (".", false),
    ] {
        let parsed = PathPattern::parse(pattern).unwrap();
        assert_eq!(parsed.lies_outside(), outside, "{pattern}");
    }
}

#[test]
fn an_entry_for_the_root_or_for_a_home_folder_is_sweeping() {
    for path in [
        "/",
        "//",
        "/.",
        "/a/..",
        "~",
        "~/",
        "~ann",
        "~/.",
        "~/..",
        ".",
        "./",
        "a/..",
        "..",
        "../..",
        "a/../..",
        "$HOME",
        "file:///",
        "/proc/self/root",
        "",
    ] {
        assert!(is_sweeping(path), "{path}");
    }
    for path in ["/srv", "/srv/..x", "~/x", "x", "./x", "../x", "a/~", "..."] {
        assert!(!is_sweeping(path), "{path}");
    }
}

#[test]
fn a_path_that_nothing_can_open_is_blocked_and_never_allowed_in_no_time() {
    let long = "a/".repeat(200_000);
    assert!(blocked("/etc/passwd", &long));
    assert!(!allowed("**", &long));
    let crafted = format!("/etc/{}passwd", "a/../".repeat(200_000));
    assert!(blocked("/etc/passwd", &crafted));
    let doubled = format!("/etc{}passwd", "/".repeat(200_000));
    assert!(blocked("/etc/passwd", &doubled) && allowed("/etc/*", &doubled));
}
