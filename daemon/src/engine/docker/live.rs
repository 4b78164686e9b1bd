//! Tests against a real engine, at the address in `SAFERUN_TEST_ENGINE`; without one they say so and
//! pass. The image is the one in `SAFERUN_TEST_IMAGE`, else the newest with our label.
//!
//! They see each setting from inside a container, by a Python program that evaluates what it is
//! sent in place of the supervisor.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::*;
use crate::{
    attest::attest,
    engine::{EngineImage, FrameSink, FrameSource},
    image::VARIANT_LABEL,
};

const PROBE: &str = "import sys\nfor line in sys.stdin:\n try: print(repr(eval(line)), flush=True)\n except BaseException as e: print(type(e).__name__, e, flush=True)";

struct Bench {
    engine: DockerEngine,
    image: String,
}

/// Straight to standard error: what a test prints by the macros is kept back when it passes.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

async fn bench() -> Option<Bench> {
    let Ok(address) = std::env::var("SAFERUN_TEST_ENGINE") else {
        skipped("SAFERUN_TEST_ENGINE names no engine");
        return None;
    };
    let engine = DockerEngine::connect(&address, std::env::temp_dir().join("seccomp.json"));
    let base = match std::env::var("SAFERUN_TEST_IMAGE") {
        Ok(image) => Some(image),
        Err(_) => engine
            .images()
            .await
            .unwrap()
            .into_iter()
            .next()
            .map(|image| image.id),
    };
    let Some(base) = base else {
        skipped("the engine has no image of ours, and SAFERUN_TEST_IMAGE names none");
        return None;
    };
    Some(Bench {
        engine,
        image: base,
    })
}

impl Bench {
    fn template(&self) -> Template {
        Template {
            runtime: "runc".to_owned(),
            image: self.image.clone(),
            memory_bytes: 128 << 20,
            cpu_millis: 500,
            pids: 32,
            tmpfs_bytes: 8 << 20,
            open_files: 128,
            writable: crate::engine::Folders::ALL,
            unheld: crate::engine::Unheld::default(),
        }
    }

    /// As [`Engine::launch`], with the probe in place of the image's entry point.
    async fn launch(&self, template: &Template) -> Probe {
        let identity = identity();
        let docker = self.engine.client().await.unwrap();
        let place = self.engine.place().await.unwrap();
        let mut body = create::body(template, &identity, place.cgroup_version);
        body.entrypoint = Some(
            ["/usr/bin/python3", "-uSc", PROBE]
                .map(str::to_owned)
                .to_vec(),
        );
        let options = CreateContainerOptionsBuilder::default()
            .name(&identity.name)
            .build();
        let id = docker
            .create_container(Some(options), body)
            .await
            .unwrap()
            .id;
        let attached = self.engine.run(docker, &id).await.unwrap();
        let address = self.engine.address();
        let mut instance = DockerInstance::new(
            docker.clone(),
            address,
            id,
            attached,
            Host {
                local: place.local,
                gvisor: false,
                podman: None,
            },
        );
        let (sink, source) = instance.take_io().unwrap();
        assert!(instance.take_io().is_none(), "the streams are given once");
        Probe {
            identity,
            instance,
            sink,
            source: BufReader::new(source),
        }
    }
}

fn identity() -> Identity {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Identity {
        name: format!("saferun-live-{}-{number}", std::process::id()),
        instance: "live-test".to_owned(),
        uid: 700_000 + number,
    }
}

/// Keeps a probe alive beyond the end of its input.
const STAYS: &str =
    "__import__('threading').Thread(target=__import__('time').sleep, args=(60,)).start()";

struct Probe {
    identity: Identity,
    instance: DockerInstance,
    sink: FrameSink,
    source: BufReader<FrameSource>,
}

impl Probe {
    async fn ask(&mut self, expression: &str) -> String {
        self.sink
            .write_all(format!("{expression}\n").as_bytes())
            .await
            .unwrap();
        let mut line = String::new();
        tokio::time::timeout(Duration::from_secs(20), self.source.read_line(&mut line))
            .await
            .expect("the probe answers")
            .unwrap();
        line.trim_end().to_owned()
    }
}

#[tokio::test]
async fn a_container_speaks_is_seen_and_is_gone_after_removal() {
    let Some(bench) = bench().await else { return };
    let template = bench.template();
    let mut probe = bench.launch(&template).await;
    assert_eq!(probe.ask("6*7").await, "42");
    let facts = probe.instance.observe().await.unwrap();
    assert_eq!(facts.memory_limit, Some(template.memory_bytes));
    assert_eq!(facts.cpu_millis, Some(template.cpu_millis));
    assert_eq!(facts.pids_limit, Some(u64::from(template.pids)));
    assert!(facts.proc_status.unwrap().contains("Seccomp:\t2"));
    // The end of its input comes with the kill, and must not be what ends it.
    assert_eq!(probe.ask(STAYS).await, "None");
    probe.instance.kill().await.unwrap();
    assert_eq!(probe.instance.remains().await.exit_status, Some(137));
    probe.instance.kill().await.unwrap();
    probe.instance.remove().await.unwrap();
    probe.instance.remove().await.unwrap();
    let left = Leftover {
        name: probe.identity.name,
        id: None,
    };
    assert!(
        !bench
            .engine
            .remove_leftover(&left, "live-test")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn one_that_does_not_end_with_its_streams_is_killed() {
    let Some(bench) = bench().await else { return };
    let mut probe = bench.launch(&bench.template()).await;
    assert_eq!(probe.ask(STAYS).await, "None");
    probe.instance.end().await.unwrap();
    assert_eq!(probe.instance.remains().await.exit_status, Some(137));
    probe.instance.end().await.unwrap();
    probe.instance.remove().await.unwrap();
}

#[tokio::test]
async fn a_flood_that_nobody_reads_does_not_hold_up_the_removal() {
    let Some(bench) = bench().await else { return };
    let mut probe = bench.launch(&bench.template()).await;
    let flood = "[sys.stdout.write('x' * 100000) for _ in range(10**6)]\n";
    probe.sink.write_all(flood.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    probe.instance.kill().await.unwrap();
    probe.instance.remove().await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn the_end_of_the_program_is_the_end_of_the_stream_and_its_last_words_are_kept() {
    let Some(bench) = bench().await else { return };
    let mut probe = bench.launch(&bench.template()).await;
    let last =
        "(sys.stderr.write('no room\\x1b[2J'), sys.stderr.flush(), __import__('os')._exit(3))";
    assert_eq!(probe.ask(last).await, "");
    assert_eq!(probe.instance.diagnostic(), "no room [2J");
    probe.instance.remove().await.unwrap();
}

#[tokio::test]
async fn an_imported_image_that_cannot_start_leaves_nothing_behind() {
    let Some(bench) = bench().await else { return };
    let docker = bench.engine.client().await.unwrap();
    // Two blocks of zeros end a tar file: an image with nothing in it.
    let folder = tempfile::tempdir().unwrap();
    let tar = folder.path().join("empty.tar");
    std::fs::write(&tar, [0; 1024]).unwrap();
    let changes = [r#"ENTRYPOINT ["/no/such/program"]"#, "LABEL test=yes"].map(str::to_owned);
    let image = bench
        .engine
        .import_image(&tar, &changes, "saferun-live-test:empty")
        .await
        .unwrap();
    let identity = identity();
    let template = Template {
        image: image.clone(),
        ..bench.template()
    };
    let error = bench
        .engine
        .launch(&template, &identity)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(
            error,
            EngineError::Refused {
                action: "start a container",
                ..
            }
        ),
        "{error}"
    );
    let gone = docker.inspect_container(&identity.name, None).await;
    assert_eq!(status(&gone.unwrap_err()), Some(404));
    let listed = bench.engine.images().await.unwrap();
    assert!(
        listed.iter().all(|listed| listed.id != image),
        "it has no label of ours"
    );
    docker
        .remove_image(
            "saferun-live-test:empty",
            None::<bollard::query_parameters::RemoveImageOptions>,
            None,
        )
        .await
        .unwrap();
    let missing = folder.path().join("none.tar");
    let error = bench
        .engine
        .import_image(&missing, &[], "saferun-live-test:none")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("none.tar"), "{error}");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let Some(bench) = bench().await else { return };
    let image = format!("sha256:{}", "0".repeat(64));
    let template = Template {
        image: image.clone(),
        ..bench.template()
    };
    let error = bench
        .engine
        .launch(&template, &identity())
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, EngineError::ImageMissing { image: named } if *named == image),
        "{error}"
    );
    let template = Template {
        runtime: "nonesuch".to_owned(),
        ..bench.template()
    };
    let error = bench
        .engine
        .launch(&template, &identity())
        .await
        .err()
        .unwrap();
    assert!(
        matches!(error, EngineError::RuntimeMissing { .. }),
        "{error}"
    );
    let away = DockerEngine::connect("unix:///nonexistent/docker.sock", PathBuf::new());
    let error = away.capabilities().await.unwrap_err();
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_leftover_is_removed_only_with_its_name_its_id_and_both_labels() {
    let Some(bench) = bench().await else { return };
    let probe = bench.launch(&bench.template()).await;
    let (name, id) = (probe.identity.name.clone(), probe.instance.id().to_owned());
    let sweep = async |name: &str, id: Option<&str>, instance: &str| {
        let left = Leftover {
            name: name.to_owned(),
            id: id.map(str::to_owned),
        };
        bench.engine.remove_leftover(&left, instance).await.unwrap()
    };
    assert!(!sweep(&name, Some(&id), "somebody-else").await);
    assert!(!sweep("saferun-other", Some(&id), "live-test").await);
    assert!(
        !sweep(&id[..12], None, "live-test").await,
        "an id is not a name"
    );
    assert!(!sweep("../images", None, "live-test").await);
    let docker = bench.engine.client().await.unwrap();
    docker
        .inspect_container(&id, None)
        .await
        .expect("it still stands");
    assert!(sweep(&name, Some(&id), "live-test").await);
    assert!(!sweep(&name, Some(&id), "live-test").await);
}

#[tokio::test]
async fn the_kernel_refuses_what_the_profile_refuses() {
    let Some(bench) = bench().await else { return };
    let mut probe = bench.launch(&bench.template()).await;
    let load = "[globals().update(c=__import__('ctypes'), s=__import__('socket')), \
        globals().update(L=c.CDLL(None, use_errno=True)), \
        globals().update(sc=lambda n, *a: (c.set_errno(0), L.syscall(n, *map(c.c_long, a)), c.get_errno())[1:])][0]";
    probe.ask(load).await;
    // Numbers of x86_64, as the test machines have.
    for (what, call, answer) in [
        ("unshare", "sc(272, 0x10000000)", "(-1, 1)"),
        (
            "clone with a namespace",
            "sc(56, 0x10000011, 0, 0, 0, 0)",
            "(-1, 1)",
        ),
        ("clone3", "sc(435, 0, 0)", "(-1, 38)"),
        ("ptrace", "sc(101, 0, 0, 0, 0)", "(-1, 1)"),
        ("io_uring_setup", "sc(425, 1, 0)", "(-1, 38)"),
        ("bpf", "sc(321, 0, 0, 0)", "(-1, 1)"),
        ("memfd_create", "sc(319, 0, 0)", "(-1, 38)"),
        ("keyctl", "sc(250, 0, 0, 0, 0, 0)", "(-1, 1)"),
        ("AF_NETLINK", "sc(41, 16, 3, 0)", "(-1, 97)"),
        (
            "AF_VSOCK with a high bit",
            "sc(41, 40 | 1 << 32, 1, 0)",
            "(-1, 97)",
        ),
        (
            "TIOCSTI with a high bit",
            "sc(16, 0, 0x5412 | 1 << 32, 0)",
            "(-1, 1)",
        ),
        ("personality", "sc(135, 0x40000)", "(-1, 1)"),
    ] {
        assert_eq!(probe.ask(call).await, answer, "{what}");
    }
    assert_eq!(probe.ask("s.socket(s.AF_INET).close()").await, "None");
    probe.instance.remove().await.unwrap();
}

/// Waits for the supervisor's first frame.
async fn ready(source: &mut FrameSource) -> saferun_frames::Ready {
    let mut decoder = saferun_frames::Decoder::new();
    let mut chunk = [0; 4096];
    loop {
        let read = source.read(&mut chunk);
        let count = tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .unwrap()
            .unwrap();
        assert!(
            count > 0,
            "the stream ended before the supervisor was ready"
        );
        decoder.push(&chunk[..count]);
        match saferun_frames::ToDaemon::next(&mut decoder).unwrap() {
            None => {}
            Some(saferun_frames::ToDaemon::Ready(ready)) => return *ready,
            Some(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_real_image_passes_the_attestation_in_each_runtime_that_is_there() {
    let Some(bench) = bench().await else { return };
    let plain = |image: &EngineImage| {
        image
            .labels
            .iter()
            .any(|(name, value)| name == VARIANT_LABEL && value == "python")
    };
    // The variants with packages need more memory than a container of these tests has.
    let images = bench.engine.images().await.unwrap();
    let Some(image) = images.into_iter().find(plain) else {
        skipped("the engine has no plain image of SafeRun's");
        return;
    };
    let capabilities = bench.engine.capabilities().await.unwrap();
    for runtime in ["runc", "runsc"] {
        if !capabilities.runtimes.iter().any(|name| name == runtime) {
            skipped(&format!("the engine has no runtime {runtime}"));
            continue;
        }
        let template = Template {
            image: image.id.clone(),
            runtime: runtime.to_owned(),
            ..bench.template()
        };
        for _ in 0..6 {
            let identity = identity();
            let begun = Instant::now();
            let mut instance = bench.engine.launch(&template, &identity).await.unwrap();
            let launched = begun.elapsed();
            let (_sink, mut source) = instance.take_io().unwrap();
            let ready = ready(&mut source).await;
            let spoke = begun.elapsed();
            let outer = instance.observe().await.unwrap();
            let observed = begun.elapsed();
            let fields = attest(&template, &identity, &capabilities, &ready.facts, &outer);
            instance.kill().await.unwrap();
            instance.remove().await.unwrap();
            let fields =
                fields.unwrap_or_else(|error| panic!("{runtime}: {error}\n{:#?}", ready.facts));
            assert!(fields.iter().any(|field| field.name == "seccomp"));
            eprintln!(
                "{runtime}: launched {launched:?}, ready {spoke:?}, observed {observed:?}, gone {:?}",
                begun.elapsed()
            );
        }
    }
}
