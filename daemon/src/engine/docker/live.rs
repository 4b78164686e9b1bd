//! Tests against a real engine, at the address in `SAFERUN_TEST_ENGINE`. Without one they say so
//! and pass; the image is the one in `SAFERUN_TEST_IMAGE`, which must have `python3`.
//!
//! They see each setting from inside a container, by a Python program that evaluates what it is
//! sent in place of the supervisor.

use std::{sync::atomic::AtomicU32, sync::atomic::Ordering, time::Duration};

use bollard::{Docker, models::ContainerConfig, query_parameters::CommitContainerOptionsBuilder};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::*;
use crate::engine::{FrameSink, FrameSource};

const PROBE: &str = "import sys\nfor line in sys.stdin:\n try: print(repr(eval(line)), flush=True)\n except BaseException as e: print(type(e).__name__, e, flush=True)";

struct Bench {
    engine: DockerEngine,
    image: String,
}

async fn bench() -> Option<Bench> {
    let (Ok(address), Ok(base)) = (
        std::env::var("SAFERUN_TEST_ENGINE"),
        std::env::var("SAFERUN_TEST_IMAGE"),
    ) else {
        eprintln!("SKIPPED: no engine in SAFERUN_TEST_ENGINE and SAFERUN_TEST_IMAGE");
        return None;
    };
    let engine = DockerEngine::connect(&address);
    let docker = engine.client().await.unwrap();
    let image = probe_image(docker, &base).await;
    Some(Bench { engine, image })
}

/// The base image with the probe as its entry point.
async fn probe_image(docker: &Docker, base: &str) -> String {
    let body = bollard::models::ContainerCreateBody {
        image: Some(base.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        ..Default::default()
    };
    let made = docker.create_container(None, body).await.unwrap();
    let options = CommitContainerOptionsBuilder::default()
        .container(&made.id)
        .build();
    let entry = ["/usr/bin/python3", "-uSc", PROBE]
        .map(str::to_owned)
        .to_vec();
    let config = ContainerConfig {
        entrypoint: Some(entry),
        cmd: Some(vec![]),
        ..ContainerConfig::default()
    };
    let image = docker.commit_container(options, config).await.unwrap().id;
    docker.remove_container(&made.id, None).await.unwrap();
    image
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
        }
    }

    async fn launch(&self, template: &Template) -> Probe {
        let identity = identity();
        let mut instance = self.engine.launch(template, &identity).await.unwrap();
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

struct Probe {
    identity: Identity,
    instance: Box<dyn Instance>,
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
    let seen = bench.engine.capabilities().await.unwrap();
    eprintln!("{seen:?}");
    let template = bench.template();
    let mut probe = bench.launch(&template).await;
    assert_eq!(probe.ask("6*7").await, "42");
    for question in [
        "open('/proc/self/status').read()",
        "open('/proc/self/mountinfo').read()",
        "open('/proc/net/dev').read()",
        "__import__('os').listdir('/sys/kernel')",
        "open('/proc/kallsyms').read(9)",
        "open('/sys/fs/cgroup/memory/memory.limit_in_bytes').read()",
    ] {
        eprintln!(
            "{question}\n{}\n",
            probe.ask(question).await.replace("\\n", "\n")
        );
    }
    let facts = probe.instance.observe().await.unwrap();
    eprintln!("{facts:#?}\n{:?}", probe.instance.counters().await);
    assert_eq!(facts.memory_limit, Some(template.memory_bytes));
    assert_eq!(facts.cpu_millis, Some(template.cpu_millis));
    assert_eq!(facts.pids_limit, Some(u64::from(template.pids)));
    probe.instance.kill().await.unwrap();
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
