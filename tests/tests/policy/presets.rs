//! The presets after earlier tools, by name and through the daemon: what each accepts runs, what each refuses touches no
//! container.

use saferun_protocol::{ClientKind, Outcome, RunResult};
use saferun_tests::Daemon;

use super::attempt;

fn under(daemon: &Daemon, preset: &str, code: &str, reason: Option<&str>) -> RunResult {
    let result = attempt(daemon, code, |request| {
        request.policy = Some(preset.to_owned());
        request.client = ClientKind::Terminal;
        request.person_present = true;
        request.override_reason = reason.map(str::to_owned);
    });
    result.unwrap_or_else(|error| panic!("{preset}: {code}: {error:?}"))
}

/// Each program prints what stands beside it.
fn accepts(daemon: &Daemon, preset: &str, programs: &[(&str, &str)]) {
    for (code, prints) in programs {
        let result = under(daemon, preset, code, None);
        assert_eq!(
            (result.status, result.stdout.as_str()),
            (Outcome::Completed, *prints),
            "{preset}: {code}: {result:#?}"
        );
        assert_eq!(result.policy, preset);
    }
}

/// Each program is refused for what stands beside it, with a reason given or not, and no container is asked for.
fn refuses(daemon: &Daemon, preset: &str, programs: &[(&str, &str)]) {
    let asked = |daemon: &Daemon| -> u64 {
        let pools = daemon.status().pools;
        pools.iter().map(|pool| pool.hits + pool.misses).sum()
    };
    let before = asked(daemon);
    for (code, says) in programs {
        for reason in [None, Some("I have read it")] {
            let result = under(daemon, preset, code, reason);
            assert_eq!(
                (result.status, result.stdout.as_str()),
                (Outcome::Blocked, ""),
                "{preset}: {code}: {result:#?}"
            );
            assert!(
                result.message.contains(says),
                "{preset}: {code}: {}",
                result.message
            );
            assert_eq!(result.sandbox.container, "", "{preset}: {code}");
        }
    }
    assert_eq!(asked(daemon), before, "{preset}: a container was asked for");
}

/// Ten a minute are admitted: there are fewer that run here.
#[test]
fn secure_sandbox_refuses_its_imports_and_calls_and_runs_the_rest() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let preset = "secure-sandbox";
    accepts(
        &daemon,
        preset,
        &[
            (
                "import json, math, re\nprint(json.dumps([math.floor(2.5)]), re.compile('a').pattern)",
                "[2] a\n",
            ),
            (
                "class Model:\n def eval(self): return 'scored'\n def compile(self): return self\nprint(Model().compile().eval())",
                "scored\n",
            ),
            (
                "open('/tmp/x', 'w').write('kept')\nprint(open('/tmp/x').read())",
                "kept\n",
            ),
            ("os = {'path': 1}\nprint(os['path'])", "1\n"),
            (
                "try:\n open('/workspace/x', 'w')\nexcept OSError as error: print(error.strerror)",
                "Read-only file system\n",
            ),
        ],
    );
    refuses(
        &daemon,
        preset,
        &[
            ("import os", "`os`"),
            ("import os.path as p", "`os`"),
            ("from os import system as s\ns('id')", "`os`"),
            ("import sys", "`sys`"),
            ("import subprocess", "`subprocess`"),
            ("from socket import create_connection", "`socket`"),
            ("import ctypes.util", "`ctypes`"),
            (
                "import importlib\nimportlib.import_module('o' + 's')",
                "`importlib`",
            ),
            ("__import__('os').system('id')", "`os`"),
            ("print(eval('1'))", "`eval`"),
            ("run = exec\nrun('1')", "`exec`"),
            ("compile('1', 'x', 'eval')", "`compile`"),
            ("import builtins\nbuiltins.eval('1')", "`eval`"),
            ("if False:\n import sys", "`sys`"),
        ],
    );
}

#[test]
fn safe_executor_runs_no_import_and_no_dangerous_builtin() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let preset = "safe-executor";
    accepts(
        &daemon,
        preset,
        &[
            ("print(sum(n * n for n in range(10)))", "285\n"),
            (
                "def greet(name): return f'hi {name}'\nprint(greet('there'))",
                "hi there\n",
            ),
            (
                "try:\n 1 / 0\nexcept ZeroDivisionError as error: print(error)",
                "division by zero\n",
            ),
            (
                "class os: sep = '/'\ndef show(sys): return sys.upper()\nprint(os.sep, show('x'))",
                "/ X\n",
            ),
        ],
    );
    refuses(
        &daemon,
        preset,
        &[
            ("import json", "`json`"),
            ("from math import pi", "`math`"),
            ("def f():\n import time", "`time`"),
            ("open('/etc/passwd')", "`open`"),
            ("exec('1')", "`exec`"),
            ("eval('1')", "`eval`"),
            ("compile('1', 'x', 'eval')", "`compile`"),
            ("print(__import__('os').environ)", "`os"),
            // Nothing binds these: they mean the modules all the same.
            ("os.system('id')", "`os.system`"),
            ("print(os.environ)", "`os.environ`"),
            ("print(sys.argv)", "`sys.argv`"),
            (
                "socket.create_connection(('192.0.2.1', 80))",
                "`socket.create_connection`",
            ),
            ("rm = shutil.rmtree", "`shutil.rmtree`"),
            ("def later():\n return ctypes.CDLL(None)", "`ctypes.CDLL`"),
        ],
    );
}

#[test]
fn tutorial_hardened_runs_what_is_not_blocked_in_its_small_sandbox() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let preset = "tutorial-hardened";
    accepts(
        &daemon,
        preset,
        &[
            (
                "import os, sys\nprint(os.getuid() > 0, sys.argv)",
                "True ['main.py']\n",
            ),
            (
                "import subprocess\nprint(subprocess.run(['echo', 'hi'], capture_output=True).stdout)",
                "b'hi\\n'\n",
            ),
            (
                "import os, subprocess\nopen('/tmp/run.sh', 'w').write('#!/bin/sh\\necho ran\\n')\nos.chmod('/tmp/run.sh', 0o700)\n\
                 try: subprocess.run(['/tmp/run.sh'])\nexcept OSError as error: print(error.strerror)",
                "Permission denied\n",
            ),
        ],
    );
    refuses(
        &daemon,
        preset,
        &[("import os\nos.system('rm -rf /')", "deletes")],
    );
}

#[test]
fn saferun_classic_runs_all_but_what_needs_a_reason() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let preset = "saferun-classic";
    accepts(
        &daemon,
        preset,
        &[
            (
                "import os, subprocess\nprint(os.getuid() > 0, subprocess.run(['true']).returncode)",
                "True 0\n",
            ),
            (
                "import socket\ntry: socket.create_connection(('192.0.2.1', 80), timeout=5)\nexcept OSError as error: print(error.strerror)",
                "Network is unreachable\n",
            ),
        ],
    );
    let wipes = "import os\nos.system('rm -rf /')\nprint('ran')";
    let refused = under(&daemon, preset, wipes, None);
    assert_eq!(refused.status, Outcome::Blocked, "{refused:#?}");
    assert!(
        refused.message.contains("--override"),
        "{}",
        refused.message
    );
    let ran = under(&daemon, preset, wipes, Some("I have read it"));
    assert!(ran.overridden && ran.stdout.contains("ran"), "{ran:#?}");
}
