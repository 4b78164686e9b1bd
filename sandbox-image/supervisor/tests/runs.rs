//! Whole runs through the real supervisor: output, input, exits, limits, left-over processes.

mod common;

use std::time::{Duration, Instant};

use common::{Sandbox, spec};
use saferun_frames::{Exit, RunSpec, StreamTotals, ToDaemon, ToSupervisor};

#[test]
fn a_program_runs_as_python_would_run_it() {
    let Some((mut sandbox, ready)) = Sandbox::start() else {
        return;
    };
    assert!(ready.warm, "the interpreter is held");
    assert!(ready.interpreter.starts_with("python 3."));
    assert_eq!(ready.facts.dumpable, Some(false));
    assert!(ready.facts.uid.is_some() && ready.facts.root_read_only.is_some());
    // Here it shares a folder for temporary files with the test, which has something there, and no process.
    let left = ready.facts.left_behind.expect("it looked");
    assert!(left.iter().any(|it| it.starts_with('/')), "{left:?}");
    assert!(!left.iter().any(|it| it.contains("process")), "{left:?}");
    let source = "import sys\nprint(sys.argv, __name__)\nsys.stderr.write('err')\nsys.exit(3)\n";
    let outcome = sandbox.run(
        RunSpec {
            args: vec!["ü".into(), String::new()],
            ..spec()
        },
        source,
    );
    assert_eq!(outcome.text(), "['main.py', 'ü', ''] __main__\n");
    assert_eq!(outcome.stderr, b"err");
    let end = outcome.end();
    assert_eq!(end.exit, Exit::Code(3));
    assert_eq!(
        end.stderr,
        StreamTotals {
            total: 3,
            dropped: 0
        }
    );
    assert!(!end.terminated && !end.timed_out && end.wall_us > 0);
}

#[test]
fn python_variables_get_a_fresh_interpreter_with_the_same_meaning() {
    let source = "import os, sys\nprint(hash('stable'), sys.argv, __file__, os.environ['MORE'])\n";
    let env = vec![
        ("PYTHONHASHSEED".into(), "1".into()),
        ("MORE".into(), "ü=".into()),
    ];
    let run = || {
        let (mut sandbox, _) = Sandbox::start()?;
        Some(
            sandbox
                .run(
                    RunSpec {
                        env: env.clone(),
                        ..spec()
                    },
                    source,
                )
                .text(),
        )
    };
    let Some(first) = run() else { return };
    let strip = |text: &str| text.rsplit_once(' ').map(|(_, last)| last.to_owned());
    assert_eq!(strip(&first).as_deref(), Some("ü=\n"));
    let hash = |text: &str| text.split(' ').next().map(str::to_owned);
    assert_eq!(hash(&first), hash(&run().expect("as before")));
}

#[test]
fn o1_a_flood_keeps_head_and_tail_and_counts_the_rest() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = "import os\nfor _ in range(2000):\n    os.write(1, b'x' * 10_000)\nos.write(1, b'THE END')\nos.write(2, b'e' * 5000)\n";
    let limits = RunSpec {
        output_head: 1000,
        output_tail: 100,
        ..spec()
    };
    let outcome = sandbox.run(limits, source);
    assert_eq!(outcome.stdout, vec![b'x'; 1000]);
    assert_eq!(outcome.stdout_tail.len(), 100);
    assert!(outcome.stdout_tail.ends_with(b"THE END"));
    assert_eq!(outcome.stderr_tail, vec![b'e'; 100]);
    let end = outcome.end();
    assert_eq!(
        end.stdout,
        StreamTotals {
            total: 20_000_007,
            dropped: 20_000_007 - 1100
        }
    );
    assert_eq!(
        end.stderr,
        StreamTotals {
            total: 5000,
            dropped: 5000 - 1100
        }
    );
    assert_eq!(end.exit, Exit::Code(0));
}

#[test]
fn o6_exactly_at_the_cap_nothing_is_dropped() {
    for (written, dropped) in [(1099, 0), (1100, 0), (1101, 1)] {
        let Some((mut sandbox, _)) = Sandbox::start() else {
            return;
        };
        let source = format!("print('y' * {written}, end='')\n");
        let limits = RunSpec {
            output_head: 1000,
            output_tail: 100,
            ..spec()
        };
        let outcome = sandbox.run(limits, &source);
        assert_eq!(
            outcome.end().stdout,
            StreamTotals {
                total: written,
                dropped
            }
        );
        assert_eq!(
            (outcome.stdout.len() + outcome.stdout_tail.len()) as u64,
            written - dropped
        );
    }
}

#[test]
fn s2_input_larger_than_a_pipe_arrives_whole() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = "import sys, time\ntime.sleep(0.1)\ndata = sys.stdin.buffer.read()\nprint(len(data), data == bytes(range(256)) * 8192)\n";
    let input: Vec<u8> = (0..=255).cycle().take(256 * 8192).collect();
    sandbox.begin(
        RunSpec {
            stdin: true,
            ..spec()
        },
        source,
    );
    assert_eq!(sandbox.finish_feeding(&input).text(), "2097152 True\n");
}

#[test]
fn s1_no_input_is_end_of_file() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let outcome = sandbox.run(spec(), "print(repr(open(0).read()))\n");
    assert_eq!(outcome.text(), "''\n");
}

#[test]
fn s2_a_program_may_leave_its_input_unread() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    sandbox.begin(
        RunSpec {
            stdin: true,
            ..spec()
        },
        "import os\nos.close(0)\nprint(1)\n",
    );
    let outcome = sandbox.finish_feeding(&vec![b'z'; 1 << 20]);
    assert_eq!(
        (outcome.text().as_str(), outcome.end().exit),
        ("1\n", Exit::Code(0))
    );
}

#[test]
fn t2_a_daemonised_child_that_holds_stdout_does_not_delay_the_end() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = "import os, signal, time\nr, w = os.pipe()\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    os.write(w, b'x')\n    time.sleep(1000)\nos.read(r, 1)\nprint('main ends')\n";
    let since = Instant::now();
    let outcome = sandbox.run(spec(), source);
    assert_eq!(outcome.text(), "main ends\n");
    assert_eq!(outcome.end().orphans_killed, 1);
    assert!(since.elapsed() < Duration::from_secs(10));
}

#[test]
fn t1_stopped_children_and_a_crowd_are_ended() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = "import os, signal, time\nfor n in range(20):\n    if os.fork() == 0:\n        if n % 2:\n            os.kill(os.getpid(), signal.SIGSTOP)\n        time.sleep(1000)\n";
    let outcome = sandbox.run(spec(), source);
    assert_eq!(outcome.end().orphans_killed, 20);
}

#[test]
fn t3_a_program_that_kills_itself_is_signaled() {
    for (signal, expected) in [("SIGKILL", 9), ("SIGTERM", 15), ("SIGRTMIN", 34)] {
        let Some((mut sandbox, _)) = Sandbox::start() else {
            return;
        };
        let source = format!("import os, signal\nos.kill(os.getpid(), signal.{signal})\n");
        let outcome = sandbox.run(spec(), &source);
        assert_eq!(outcome.end().exit, Exit::Signal(expected));
        assert!(!outcome.end().timed_out && !outcome.end().terminated);
    }
}

#[test]
fn the_own_timer_ends_a_stopped_program() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source =
        "import os, signal\nprint('x', flush=True)\nos.kill(os.getpid(), signal.SIGSTOP)\n";
    let outcome = sandbox.run(
        RunSpec {
            time_limit_ms: 300,
            ..spec()
        },
        source,
    );
    let end = outcome.end();
    assert!(end.timed_out && end.exit == Exit::Signal(9) && end.wall_us >= 300_000);
    assert_eq!(outcome.text(), "x\n");
}

#[test]
fn terminate_ends_the_tree_and_keeps_the_output() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = "import os, time\nos.fork()\nprint('x', flush=True)\ntime.sleep(1000)\n";
    sandbox.begin(spec(), source);
    // Both processes have written: in one frame or in two.
    let mut seen = 0;
    while seen < 4 {
        match sandbox.next() {
            ToDaemon::Stdout(bytes) => seen += bytes.len(),
            other => panic!("{other:?}"),
        }
    }
    sandbox.send(&ToSupervisor::Terminate);
    let outcome = sandbox.finish();
    let end = outcome.end();
    assert!(end.terminated && !end.timed_out && end.exit == Exit::Signal(9));
    assert_eq!(end.stdout.total, 4);
}

#[test]
fn terminate_before_the_start_is_reported_too() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    sandbox.send(&ToSupervisor::Terminate);
    assert!(sandbox.finish().end().terminated);
}

#[test]
fn a_stalled_daemon_does_not_stop_the_timer() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = "import os\nwhile True:\n    os.write(1, b'x' * 65536)\n";
    let endless = RunSpec {
        time_limit_ms: 500,
        output_head: 1 << 40,
        ..spec()
    };
    sandbox.begin(endless, source);
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(1500) {
        std::thread::yield_now();
    }
    let outcome = sandbox.finish();
    assert!(
        outcome.end().timed_out && outcome.end().wall_us < 1_400_000,
        "{:?}",
        outcome.end()
    );
    assert_eq!(outcome.end().stdout.dropped, 0);
    assert_eq!(outcome.end().stdout.total, outcome.stdout.len() as u64);
}

#[test]
fn t5_the_supervisor_does_not_outlive_its_daemon() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    sandbox.begin(
        spec(),
        "import time\nprint('x', flush=True)\ntime.sleep(1000)\n",
    );
    sandbox.next();
    assert!(sandbox.hang_up() < Duration::from_secs(10));
}
