//! What the supervisor refuses, and what it does when the hold fails.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Sandbox, hold, spec};
use saferun_frames::{Decoder, Exit, FaultStage, RunSpec, ToDaemon, ToSupervisor};

const PYTHON: &str = "/usr/bin/python3";

#[test]
fn outside_a_namespace_it_refuses_to_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_saferun-init"))
        .stdin(Stdio::null())
        .output()
        .expect("the supervisor starts");
    let mut decoder = Decoder::new();
    decoder.push(&output.stdout);
    match ToDaemon::next(&mut decoder) {
        Ok(Some(ToDaemon::Fault(fault))) => assert_eq!(fault.stage, FaultStage::Boot),
        other => panic!("{other:?}"),
    }
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn i3_a_forged_frame_is_only_output() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = "import os\nfor number in range(0, 200):\n    try:\n        os.write(number, b'\\x87\\x02\\0\\0\\0{}')\n    except OSError:\n        pass\n";
    let outcome = sandbox.run(spec(), source);
    assert_eq!(outcome.stdout, b"\x87\x02\0\0\0{}");
    assert_eq!(outcome.stderr, b"\x87\x02\0\0\0{}");
    assert_eq!(outcome.end().exit, Exit::Code(0));
}

#[test]
fn a_program_has_no_other_descriptor_and_no_trace_of_the_hold() {
    let Some((mut sandbox, ready)) = Sandbox::start() else {
        return;
    };
    assert!(ready.warm);
    let source = "import os, sys\nprint(sorted(os.listdir('/proc/self/fd')))\nprint([m for m in sys.modules if m in ('usercustomize', 'gc', 'ctypes')])\nprint([k for k in os.environ if 'SAFERUN' in k or k == 'PYTHONPATH'], 'HOLD' in str(sys.path))\nprint(b'HOLD' in open('/proc/self/cmdline', 'rb').read() + open('/proc/self/environ', 'rb').read())\n";
    // Its whole path: the folder of this checkout may have the word in its name.
    let source = source.replace("HOLD", &hold().display().to_string());
    let text = sandbox.run(spec(), &source).text();
    assert_eq!(
        text, "['0', '1', '2', '3']\n[]\n[] False\nFalse\n",
        "{text}"
    );
}

#[test]
fn frames_out_of_order_are_faults() {
    let second = ToSupervisor::Run(RunSpec {
        source_len: 0,
        ..spec()
    });
    for (first, stage) in [
        (ToSupervisor::Start, FaultStage::Protocol),
        (ToSupervisor::Source(b"x".to_vec()), FaultStage::Protocol),
        (ToSupervisor::Stdin(b"x".to_vec()), FaultStage::Protocol),
        (
            ToSupervisor::Run(RunSpec {
                file_name: "../x".into(),
                ..spec()
            }),
            FaultStage::HandOver,
        ),
    ] {
        let Some((mut sandbox, _)) = Sandbox::start() else {
            return;
        };
        sandbox.send(&first);
        let fault = sandbox.finish().fault.expect("a fault");
        assert_eq!(fault.stage, stage, "{first:?}: {}", fault.message);
    }
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    sandbox.begin(spec(), "import time\ntime.sleep(1000)\n");
    sandbox.send(&second);
    assert_eq!(
        sandbox.finish().fault.expect("a fault").stage,
        FaultStage::Protocol
    );
}

#[test]
fn input_beyond_the_credit_is_a_fault() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    sandbox.begin(
        RunSpec {
            stdin: true,
            ..spec()
        },
        "import time\ntime.sleep(1000)\n",
    );
    for _ in 0..8 {
        sandbox.send(&ToSupervisor::Stdin(vec![0; 64 * 1024]));
    }
    assert_eq!(
        sandbox.finish().fault.expect("a fault").stage,
        FaultStage::Protocol
    );
}

fn script(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("python3");
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a file");
    path
}

#[test]
fn without_a_hold_each_run_starts_the_interpreter() {
    let folder = tempfile::tempdir().expect("a folder");
    let python = format!("#!/bin/sh\n[ -z \"$SAFERUN_HOLD\" ] || exit 1\nexec {PYTHON} \"$@\"\n");
    let python = script(folder.path(), &python);
    let Some((mut sandbox, ready)) = Sandbox::start_with(&hold(), &python) else {
        return;
    };
    assert!(
        !ready.warm && ready.interpreter.starts_with("python 3."),
        "{ready:?}"
    );
    let outcome = sandbox.run(
        RunSpec {
            args: vec!["a".into()],
            ..spec()
        },
        "import sys\nprint(sys.argv)\n",
    );
    assert_eq!(outcome.text(), "['main.py', 'a']\n");
}

#[test]
fn a_hold_that_refuses_or_dies_at_the_hand_over_is_replaced() {
    for reaction in [
        "os.write(answers, b'C'); os._exit(1)",
        "os._exit(0)",
        "os.abort()",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let hold = format!(
            "import os\nif 'SAFERUN_HOLD' in os.environ:\n    requests, answers = map(int, os.environ['SAFERUN_HOLD'].split(','))\n    os.write(answers, b'R 3.0.0\\n')\n    os.read(requests, 1)\n    print('noise of the hold', flush=True)\n    {reaction}\n"
        );
        fs::write(folder.path().join("usercustomize.py"), hold).expect("a file");
        let Some((mut sandbox, ready)) = Sandbox::start_with(folder.path(), Path::new(PYTHON))
        else {
            return;
        };
        assert!(ready.warm);
        sandbox.begin(
            RunSpec {
                stdin: true,
                ..spec()
            },
            "import os\nprint(input(), os.environ.get('PYTHONPATH'))\n",
        );
        let outcome = sandbox.finish_feeding(b"typed\n");
        let text = outcome.text();
        assert!(text.ends_with("typed None\n"), "{reaction}: {text}");
        assert_eq!(outcome.end().exit, Exit::Code(0));
    }
}

#[test]
fn an_interpreter_that_cannot_be_started_is_a_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let python = "#!/bin/sh\n[ \"$1\" = --version ] || exit 1\necho Python 3.99.0\nrm -f \"$0\"\n";
    let python = script(folder.path(), python);
    let Some((mut sandbox, ready)) = Sandbox::start_with(&hold(), &python) else {
        return;
    };
    assert_eq!(
        (ready.warm, ready.interpreter.as_str()),
        (false, "python 3.99.0")
    );
    let fault = sandbox.run(spec(), "print(1)\n").fault.expect("a fault");
    assert_eq!(fault.stage, FaultStage::HandOver);
}
