//! Promise: a script finds the packages that it imports, as fast as if there were none; what is missing
//! is named, with the command that helps.

use saferun_protocol::{ApiClient, ImageInfo, Outcome, RunRequest, RunResult};
use saferun_tests::{Clock, Daemon, Hands, have_policy, text};

/// A daemon whose engine has the image `python-data`. Where that was not built, it says SKIPPED, or
/// fails if the engine is required.
fn daemon() -> Option<Daemon> {
    let daemon = Daemon::start()?;
    daemon.require_image("python-data");
    Some(daemon)
}

fn passed(result: &RunResult) {
    assert_eq!(result.status, Outcome::Completed, "{result:?}");
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
}

/// Each container imports it: compiled there, it would cost a start the time and the interpreter a megabyte.
#[test]
fn what_holds_the_interpreter_is_compiled_in_the_image() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let script = "import os, sys\ncached = f'__pycache__/usercustomize.{sys.implementation.cache_tag}.pyc'\n\
                  assert os.path.isfile('/opt/saferun/hold/' + cached)\n";
    passed(&daemon.run(script));
}

#[test]
fn r6_numeric_packages_work_under_the_default_limits() {
    let Some(daemon) = daemon() else { return };
    let scripts = [
        "import numpy as np\nassert np.linalg.solve(np.eye(3), np.ones(3)).sum() == 3\n",
        "import pandas as pd\nassert pd.DataFrame({'a': [1, 2]}).groupby('a').size().sum() == 2\n",
        "import matplotlib.pyplot as plt, os\nplt.plot([1, 2])\nplt.savefig('/out/f.png')\nassert os.path.getsize('/out/f.png') > 1000\n",
        "import requests, scipy.stats, sklearn.linear_model, yaml, bs4\n",
        "import numpy, os\nassert len(os.listdir('/proc/self/task')) == 1\npid = os.fork()\nif pid == 0:\n    numpy.ones(9).dot(numpy.ones(9))\n    os._exit(7)\nassert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7\n",
        "import numpy as np\nfrom multiprocessing import Pool\nfrom multiprocessing.shared_memory import SharedMemory\ndef f(n):\n    return int(np.arange(n).sum())\nif __name__ == '__main__':\n    with Pool(2) as pool:\n        assert pool.map(f, [3, 4]) == [3, 6]\n    memory = SharedMemory(create=True, size=4096)\n    np.ndarray(8, buffer=memory.buf)[:] = 1\n    memory.close(); memory.unlink()\n",
    ];
    for script in scripts {
        let result = daemon.run(script);
        passed(&result);
        assert_eq!(result.sandbox.variant, "python-data", "{script}");
    }
    let plain = daemon.run("import json");
    passed(&plain);
    assert_eq!(plain.sandbox.variant, "python");
}

#[test]
fn heavy_packages_are_imported_before_the_script_comes_and_shadowed_by_its_own_files() {
    let Some(daemon) = daemon() else { return };
    // What is imported takes no time: the modules are there already.
    let mut request =
        RunRequest::new("import sys\nassert 'numpy' in sys.modules and 'pandas' in sys.modules\n");
    request.image = Some("python-data".to_owned());
    passed(&daemon.run_request(request));
    // matplotlib speaks of a HOME that cannot be written at its import, which was not the script's.
    let mut request = RunRequest::new("import numpy\nprint(numpy.arange(2))\n");
    request.policy = Some("tutorial-hardened".to_owned());
    let quiet = daemon.run_request(request);
    passed(&quiet);
    assert_eq!((&*quiet.stdout, &*quiet.stderr), ("[0 1]\n", ""));
    // A script that has the name of such a module is found first, as under python3.
    let mut request =
        RunRequest::new("import sys\nassert 'pandas' not in sys.modules\nprint(__file__)\n");
    request.image = Some("python-data".to_owned());
    request.file_name = Some("numpy.py".to_owned());
    let result = daemon.run_request(request);
    passed(&result);
    assert!(result.stdout.ends_with("numpy.py\n"), "{}", result.stdout);
    // A variable that numpy reads when it is imported is there in time.
    let mut request = RunRequest::new("import sys\nassert 'numpy' not in sys.modules\n");
    request.image = Some("python-data".to_owned());
    request.env = vec![("OMP_NUM_THREADS".to_owned(), "2".to_owned())];
    passed(&daemon.run_request(request));
}

#[test]
fn a_missing_module_ends_with_advice_and_an_invented_one_is_called_so() {
    let Some(daemon) = daemon() else { return };
    let source = "import torch\nimport humanize\nimport numpy\nimport fastjsonx_turbo_utils\n";
    let result = daemon.run(source);
    assert_eq!(result.exit_code, Some(1));
    assert_eq!(
        result.advice,
        [
            "`fastjsonx_turbo_utils` is no well-known package: the model may have invented it. Look it up before you install it: attackers register such names",
            "`humanize` is in no image of yours",
            "`torch` is in no image of yours",
            "add what is missing: saferunctl image add humanize torch",
        ]
    );
    let script = daemon.folder().join("job.py");
    std::fs::write(&script, source).expect("a script");
    let path = script.display().to_string();
    let shown = daemon.cli(&["run", &path]).output().expect("it runs");
    let said = text(&shown.stderr);
    assert!(
        said.ends_with("saferunctl: add what is missing: saferunctl image add humanize torch\n"),
        "{said}"
    );
    // The same text from a program that ended well is no error.
    let calm = daemon.run(
        "import sys\nprint(\"ModuleNotFoundError: No module named 'torch'\", file=sys.stderr)\n",
    );
    assert!(calm.advice.is_empty(), "{:?}", calm.advice);
}

#[test]
fn a_header_that_declares_packages_picks_their_image_without_any_import() {
    let Some(daemon) = daemon() else { return };
    let declared = daemon
        .run("# /// script\n# dependencies = [\"pandas>=1\"]\n# ///\nprint('no import here')\n");
    passed(&declared);
    assert_eq!(declared.sandbox.variant, "python-data");
    let commented = daemon.run("# dependencies = [\"pandas>=1\"]\nprint('no header here')\n");
    passed(&commented);
    assert_eq!(commented.sandbox.variant, "python");
}

/// Gives the daemon's user this policy, and waits until it holds.
fn hold(daemon: &Daemon, policy: &str) {
    let generation = || daemon.status().policy.generation;
    let before = generation();
    let policy = format!("version: 1\noverride: {{unattended: true}}\n{policy}\n");
    have_policy(&daemon.folder().join("config"), &policy, None);
    daemon.wait_until("the policy holds", |_| generation() > before);
}

#[test]
fn a_policy_that_names_an_image_picks_it_and_refuses_another() {
    let Some(daemon) = daemon() else { return };
    hold(&daemon, "image: {variant: python-data}");
    let client = daemon.connect();
    let picked = daemon.block_on(client.run(RunRequest::new("print('no import')\n")));
    let picked = picked.expect("it is accepted");
    passed(&picked);
    assert_eq!(picked.sandbox.variant, "python-data");
    let other = daemon.cli(&["run", "--image", "python", "-c", "1"]);
    let refused = { other }.output().expect("it runs");
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the policy says `image.variant: python-data`"),
        "{said}"
    );
}

#[test]
fn an_image_past_its_best_warns_and_one_past_the_policys_age_is_refused() {
    let Some(clock) = Clock::new(Hands::Wall) else {
        return;
    };
    let Some(daemon) = Daemon::start_with(&clock.environment()) else {
        return;
    };
    let _ = daemon.image();
    let run = || {
        let ran = daemon.cli(&["run", "-c", "print('ran')"]);
        let ran = { ran }.output().expect("it runs");
        (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
    };
    // An image of tomorrow is new, whenever that of this engine was made.
    clock.set("-900d");
    let (code, _, said) = run();
    assert!(
        code == Some(0) && !said.contains("image.warn_age"),
        "{said}"
    );
    clock.set("+31d");
    let (code, out, said) = run();
    assert_eq!((code, out.as_str()), (Some(0), "ran\n"), "{said}");
    assert!(
        said.contains("days old (image.warn_age); `saferunctl image build --force python`"),
        "{said}"
    );
    hold(&daemon, "image: {refuse_age: 31d}");
    let (code, out, said) = run();
    assert!(code != Some(0) && out.is_empty(), "{code:?} {out} {said}");
    assert!(
        said.contains("the policy refuses one from 31d on (image.refuse_age)"),
        "{said}"
    );
    assert!(
        said.contains("saferunctl image build --force python"),
        "{said}"
    );
}

#[test]
fn the_image_asked_for_is_had_or_the_run_does_not_begin() {
    let Some(daemon) = daemon() else { return };
    let ran = daemon.cli(&["run", "--image", "python", "-c", "import numpy"]);
    let said = text(&{ ran }.output().expect("it runs").stderr);
    assert!(
        said.contains("run it there: saferunctl run --image python-data"),
        "{said}"
    );
    let refused = daemon.cli(&["run", "--image", "nope", "-c", "1"]);
    let output = { refused }.output().expect("it runs");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no image called `nope`"), "{said}");
}

#[test]
fn an_image_that_was_replaced_goes_once_no_run_uses_it() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let old = daemon.image();
    let client = daemon.connect();
    let stands = |id: &str| {
        let images = daemon.block_on(client.image_list()).expect("a list");
        images.iter().any(|image| image.id.as_deref() == Some(id))
    };
    let has = |images: &[ImageInfo]| {
        images
            .iter()
            .any(|image| image.id.as_deref() == Some(old.as_str()))
    };
    // A run holds the image while it is built again.
    let other = daemon.connect();
    let under_way = daemon.spawn(async move {
        let mut request = RunRequest::new("import time\ntime.sleep(280)");
        request.limits.time_ms = Some(290_000);
        request.policy = Some("permissive".to_owned());
        other.run(request).await
    });
    let runs = || daemon.block_on(client.ps()).expect("the runs");
    daemon.wait_until("it runs", |_| {
        runs().iter().any(|run| run.state == "running")
    });
    let built = daemon
        .cli(&["image", "build", "python", "--force"])
        .output()
        .expect("saferunctl");
    assert!(built.status.success(), "{built:?}");
    daemon.wait_until("runs go into the new image", |daemon| daemon.image() != old);
    daemon.wait_for_warm(1);
    assert_eq!(daemon.run("print('new')").stdout, "new\n");
    let planned = daemon.block_on(client.image_prune(true)).expect("a plan");
    assert!(has(&planned.removed), "{planned:?}");
    let report = daemon
        .block_on(client.image_prune(false))
        .expect("a report");
    let kept: Vec<_> = report.kept.into_iter().map(|kept| kept.image).collect();
    assert!(has(&kept) && stands(&old), "an image in use was removed");
    // The run has lived through all that, and is the last that needs the image.
    let [run] = &runs()[..] else {
        panic!("{:?}", runs())
    };
    daemon
        .block_on(client.kill(run.id.clone()))
        .expect("it is killed");
    let result = daemon
        .block_on(under_way)
        .expect("no panic")
        .expect("a result");
    assert_eq!(result.status, Outcome::Cancelled);
    daemon.wait_until("the old image is gone", |daemon| {
        // Images that other daemons use may well stay: the exit code is theirs.
        let said = daemon.cli(&["image", "prune"]).output();
        let _ = said.expect("saferunctl");
        !stands(&old)
    });
}

#[test]
fn each_figure_that_is_open_at_the_end_comes_back_as_a_picture() {
    let Some(daemon) = daemon() else { return };
    let out = daemon.folder().join("figures");
    let shown = out.display().to_string();
    let script = "import matplotlib.pyplot as plt\n\
        first, axes = plt.subplots()\naxes.plot([1, 3, 2])\n\
        second = plt.figure()\nsecond.gca().bar(['a', 'b'], [1, 2])\n\
        plt.close(plt.figure())\nplt.show()\nprint('drawn')\n";
    let ran = daemon.cli(&["run", "-c", script, "--out", &shown]);
    let ran = { ran }.output().expect("it runs");
    let said = text(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    assert_eq!(text(&ran.stdout), "drawn\n", "{said}");
    let found = std::fs::read_dir(&out).expect("the folder");
    let mut names: Vec<String> = found
        .map(|entry| entry.expect("an entry").file_name().display().to_string())
        .collect();
    names.sort();
    assert_eq!(names, ["figure-1.png", "figure-2.png"], "{said}");
    for name in names {
        let picture = std::fs::read(out.join(&name)).expect("a picture");
        assert_eq!(picture[..8], *b"\x89PNG\r\n\x1a\n", "{name}");
        assert_eq!(picture[12..16], *b"IHDR", "{name}");
        assert!(
            picture.len() > 2000 && picture.ends_with(b"IEND\xaeB`\x82"),
            "{name}"
        );
    }
}

/// All that the user sees.
const WHAT_HELPS: &str = "\
Traceback (most recent call last):
  File \"/workspace/report.py\", line 2, in <module>
    import humanize
ModuleNotFoundError: No module named 'humanize'
saferunctl: `chartify_ai_pro` is no well-known package: the model may have invented it. Look it up before you install it: attackers register such names
saferunctl: `humanize` is in no image of yours
saferunctl: add what is missing: saferunctl image add humanize
";

#[test]
fn a_models_script_with_an_invented_package_ends_with_what_helps() {
    let Some(daemon) = daemon() else { return };
    let script = daemon.folder().join("report.py");
    let source =
        "import pandas as pd\nimport humanize\nimport chartify_ai_pro\n\nprint(pd.__version__)\n";
    std::fs::write(&script, source).expect("a script");
    let path = script.display().to_string();
    let shown = daemon.cli(&["run", &path]).output().expect("it runs");
    assert_eq!(shown.status.code(), Some(1));
    assert_eq!(text(&shown.stdout), "");
    assert_eq!(text(&shown.stderr), WHAT_HELPS);
}

#[test]
fn packages_of_ones_own_become_an_image_that_scripts_find() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let add = ["image", "add", "humanize==4.11.0", "--as", "test-own"];
    let added = daemon.cli(&add).output().expect("it starts");
    let said = text(&added.stderr);
    assert!(added.status.success(), "{said}");
    assert!(said.contains("test-own") && said.contains("MiB"), "{said}");
    let result = daemon.run("import humanize\nprint(humanize.intcomma(1234567))\n");
    passed(&result);
    assert_eq!(
        (&*result.sandbox.variant, &*result.stdout),
        ("test-own", "1,234,567\n")
    );
    let odd = ["image", "add", "../x", "--as", "test-own"];
    let refused = daemon.cli(&odd).output().expect("it starts");
    assert!(!refused.status.success() && text(&refused.stderr).contains("../x"));
    let engine = daemon.engine().to_owned();
    drop(daemon);
    let _ = saferun_tests::docker(&engine, &["rmi", "--force", "saferun/test-own:latest"]);
}

#[test]
fn an_image_that_is_built_again_lets_runs_end_and_takes_the_place_of_the_old_one() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let old = daemon.image();
    daemon.wait_for_warm(2);
    let mut slow = daemon.cli(&["run", "-c", "input()\nprint('survived')", "--timeout", "5m"]);
    let mut slow = slow
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    daemon.wait_until("the run is under way", |daemon| {
        daemon.status().running == 1
    });
    let again = ["image", "build", "python", "--force"];
    let built = daemon.cli(&again).output().expect("it starts");
    assert!(built.status.success(), "{}", text(&built.stderr));
    let new = daemon.image();
    assert_ne!(old, new);
    // The run goes on; what waited beside it is of the new image now.
    daemon.wait_until("only the run is of the old image", |daemon| {
        images_of(daemon, &old) == 1 && images_of(daemon, &new) >= 2
    });
    assert_eq!(daemon.status().running, 1);
    drop(
        slow.stdin
            .take()
            .map(|mut stdin| std::io::Write::write_all(&mut stdin, b"go\n")),
    );
    let output = slow.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stdout), "survived\n");
    daemon.wait_until("nothing is of the old image", |daemon| {
        images_of(daemon, &old) == 0
    });
}

/// How many of the daemon's containers are of this image.
fn images_of(daemon: &Daemon, image: &str) -> usize {
    let containers = daemon.containers();
    let mut args = vec!["inspect", "--format", "{{.Image}}"];
    args.extend(containers.iter().map(String::as_str));
    let output = saferun_tests::docker(daemon.engine(), &args);
    text(&output.stdout)
        .lines()
        .filter(|line| *line == image)
        .count()
}
