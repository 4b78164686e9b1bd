//! A way to the real engine that can be told to fail: it hangs, breaks off, answers garbage or nothing,
//! goes away and comes back. Everything that no rule names reaches the engine as it is.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{Daemon, engine, long};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is taken and never answered.
    Hang,
    /// The answer's head comes, and half of its body; then nothing more.
    HalfAnAnswer,
    /// The connection is closed without a word.
    Reset,
    /// Something that is no HTTP.
    Garbage,
    /// HTTP 200 with a body of another shape than any of the API's.
    WrongShape,
    /// HTTP with this status and a message.
    Status(u16),
    /// A body that never ends.
    Endless,
    /// A body that comes byte by byte and never ends: something always comes before one could give up waiting for it.
    Trickle,
    /// The engine's own answer, late but within every deadline.
    Slow,
    /// HTTP 200 and an empty list: no images, no containers.
    EmptyList,
}

impl Fault {
    /// Those that an engine may show for any request at all.
    pub const ALL: [Self; 10] = [
        Self::Hang,
        Self::HalfAnAnswer,
        Self::Reset,
        Self::Garbage,
        Self::WrongShape,
        Self::Status(409),
        Self::Status(500),
        Self::Endless,
        Self::Trickle,
        Self::Slow,
    ];

    /// Those that are tried where there are many tries: all with `SAFERUN_TEST_LONG=1`, for those that last are given up
    /// after seconds each.
    #[must_use]
    pub fn tried() -> Vec<Self> {
        let mut all = Self::ALL.to_vec();
        all.retain(|fault| long() || !fault.lasts());
        all
    }

    /// True of those that only a deadline ends.
    #[must_use]
    pub const fn lasts(self) -> bool {
        matches!(self, Self::Hang | Self::HalfAnAnswer | Self::Trickle)
    }
}

/// What becomes of the streams that are attached already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFault {
    /// Nothing comes through any more, and neither side hears of an end.
    Stall,
    /// What comes is none of the engine's: a header that no stream has, and noise.
    Garbage,
}

/// How late a slow answer is; the shortest of the daemon's deadlines is 4 s.
const LATE: Duration = Duration::from_secs(1);
/// Between two bytes of an answer that trickles.
const DRIP: Duration = Duration::from_millis(100);

/// Applies to requests whose first line has all of these in it.
#[derive(Clone)]
struct Rule {
    parts: Vec<String>,
    fault: Fault,
}

/// Calls that a fault holds.
#[derive(Default)]
struct Held {
    now: usize,
    /// Those whose other end has given up.
    given_up: usize,
}

#[derive(Default)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    open: Mutex<Vec<UnixStream>>,
    /// The daemon's ends of attached streams that have not ended, each with a number of its own.
    attached: Mutex<BTreeMap<usize, UnixStream>>,
    /// So many streams have been attached.
    streams: AtomicUsize,
    stalled: AtomicBool,
    held: Mutex<Held>,
    met: AtomicUsize,
    down: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A daemon whose engine can be told to fail, and that keeps `warm` containers.
#[must_use]
pub fn over_a_faulty_engine(warm: &str) -> Option<(FaultyEngine, Daemon)> {
    let faulty = FaultyEngine::before(&engine()?);
    faulty.up();
    let address = faulty.address();
    let daemon = Daemon::start_with(&[
        ("SAFERUN_ENGINE", address.as_str()),
        ("SAFERUN_POOL_SIZE", warm),
    ])?;
    daemon.wait_until("the engine is seen", |daemon| {
        daemon.status().engine.reachable
    });
    Some((faulty, daemon))
}

/// The way to an engine. It ends when dropped.
pub struct FaultyEngine {
    folder: TempDir,
    upstream: PathBuf,
    shared: Arc<Shared>,
}

impl FaultyEngine {
    /// A way to the engine at `unix:///path`; not there until [`FaultyEngine::up`].
    ///
    /// # Panics
    /// If the engine is not at a Unix socket, or there is no folder for ours.
    #[must_use]
    pub fn before(engine: &str) -> Self {
        let upstream = engine.strip_prefix("unix://").expect("a Unix socket");
        Self {
            folder: tempfile::Builder::new()
                .prefix("saferun-engine-")
                .tempdir()
                .expect("a folder"),
            upstream: upstream.into(),
            shared: Arc::default(),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Requests whose first line has all of these words in it fail like this from now on.
    pub fn on(&self, words: &[&str], fault: Fault) {
        let parts = words.iter().map(|&word| word.to_owned()).collect();
        locked(&self.shared.rules).push(Rule { parts, fault });
    }

    /// The streams that are attached now fail like this; those that are attached after [`FaultyEngine::well`] do not.
    ///
    /// # Panics
    /// If none is attached.
    pub fn on_streams(&self, fault: StreamFault) {
        let mut attached = locked(&self.shared.attached);
        let mut reached = 0;
        match fault {
            StreamFault::Stall => {
                self.shared.stalled.store(true, Ordering::SeqCst);
                reached = attached.len();
            }
            StreamFault::Garbage => {
                for stream in attached.values_mut() {
                    // One may end just now.
                    let noise = b"\xff\xff\xff\xff\xff\xff\xff\xff\x1b[2J not of any stream";
                    reached += usize::from(stream.write_all(noise).is_ok());
                }
            }
        }
        assert!(reached > 0, "no stream is attached");
    }

    /// No rules any more. What hangs goes on hanging.
    pub fn well(&self) {
        locked(&self.shared.rules).clear();
        self.shared.stalled.store(false, Ordering::SeqCst);
    }

    /// Connections that a fault holds open now: the other end has not given up yet.
    #[must_use]
    pub fn held(&self) -> usize {
        locked(&self.shared.held).now
    }

    /// A look from another thread at whether a call is held now; the same number twice means that the call which was
    /// held at the first look still was at the second.
    pub fn holding(&self) -> impl Fn() -> Option<usize> + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || {
            let held = locked(&shared.held);
            (held.now > 0).then_some(held.given_up)
        }
    }

    /// Requests that met a fault so far.
    #[must_use]
    pub fn met(&self) -> usize {
        self.shared.met.load(Ordering::SeqCst)
    }

    /// Is there, as after a start.
    ///
    /// # Panics
    /// If the socket cannot be bound.
    pub fn up(&self) {
        self.shared.down.store(false, Ordering::SeqCst);
        let listener = UnixListener::bind(self.socket()).expect("the engine's socket");
        let (shared, upstream) = (Arc::clone(&self.shared), self.upstream.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                if shared.down.load(Ordering::SeqCst) {
                    break;
                }
                let (shared, upstream) = (Arc::clone(&shared), upstream.clone());
                thread::spawn(move || {
                    // Either end may go at any time: that is the point.
                    let _ = serve(stream, &upstream, &shared);
                });
            }
        });
    }

    /// Gone, with every connection, as when it is stopped.
    pub fn down(&self) {
        self.shared.down.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it lets go of the socket.
        let _ = UnixStream::connect(self.socket());
        let _ = fs::remove_file(self.socket());
        for stream in locked(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for FaultyEngine {
    fn drop(&mut self) {
        self.down();
    }
}

fn serve(mut client: UnixStream, upstream: &PathBuf, shared: &Shared) -> io::Result<()> {
    locked(&shared.open).push(client.try_clone()?);
    let (head, rest) = head(&mut client)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    let rule = locked(&shared.rules)
        .iter()
        .find(|rule| rule.parts.iter().all(|part| line.contains(part.as_str())))
        .map(|rule| rule.fault);
    match rule {
        Some(fault) => {
            shared.met.fetch_add(1, Ordering::SeqCst);
            if fault == Fault::Slow {
                thread::park_timeout(LATE);
                return pass_on(&client, upstream, &head, &rest, shared);
            }
            fail(client, fault, shared)
        }
        None => pass_on(&client, upstream, &head, &rest, shared),
    }
}

/// The request up to its empty line, and what came after it.
fn head(client: &mut UnixStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        match client.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn fail(mut client: UnixStream, fault: Fault, shared: &Shared) -> io::Result<()> {
    const JSON: &str = "Content-Type: application/json\r\nConnection: close\r\n";
    match fault {
        Fault::Hang => hold(client, shared),
        Fault::HalfAnAnswer => {
            write!(
                client,
                "HTTP/1.1 200 OK\r\n{JSON}Content-Length: 400\r\n\r\n[{{\"Id\":"
            )?;
            hold(client, shared)
        }
        Fault::Reset => client.shutdown(Shutdown::Both),
        Fault::Garbage => client.write_all(b"\x1b[2J\x00\xff not HTTP at all\r\n\r\n"),
        Fault::WrongShape => answer(client, "200 OK", "[1, null, {\"Id\": []}]"),
        Fault::EmptyList => answer(client, "200 OK", "[]"),
        Fault::Status(code) => answer(
            client,
            &format!("{code} Oops"),
            "{\"message\": \"out of\\u001b[2J order\"}",
        ),
        // Passed on, late.
        Fault::Slow => Ok(()),
        Fault::Trickle => {
            write!(client, "HTTP/1.1 200 OK\r\n{JSON}\r\n[")?;
            held(shared, || {
                while client.write_all(b" ").is_ok() {
                    thread::park_timeout(DRIP);
                }
            });
            Ok(())
        }
        Fault::Endless => {
            write!(client, "HTTP/1.1 200 OK\r\n{JSON}\r\n[")?;
            let blanks = vec![b' '; 64 * 1024];
            loop {
                client.write_all(&blanks)?;
            }
        }
    }
}

fn answer(mut client: UnixStream, status: &str, body: &str) -> io::Result<()> {
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Says nothing more until the other end gives up.
fn hold(mut client: UnixStream, shared: &Shared) -> io::Result<()> {
    held(shared, || io::copy(&mut client, &mut io::sink())).map(drop)
}

/// Counts a call as held as long as this takes.
fn held<T>(shared: &Shared, while_it: impl FnOnce() -> T) -> T {
    locked(&shared.held).now += 1;
    let done = while_it();
    let mut held = locked(&shared.held);
    held.now -= 1;
    held.given_up += 1;
    done
}

fn pass_on(
    client: &UnixStream,
    upstream: &PathBuf,
    head: &str,
    rest: &[u8],
    shared: &Shared,
) -> io::Result<()> {
    let mut engine = UnixStream::connect(upstream)?;
    locked(&shared.open).push(engine.try_clone()?);
    let upgrade = head
        .lines()
        .any(|line| line.to_ascii_lowercase().starts_with("upgrade:"));
    // One request on each connection, so that each is seen.
    let head = if upgrade {
        head.to_owned()
    } else {
        head.replacen("\r\n", "\r\nConnection: close\r\n", 1)
    };
    engine.write_all(head.as_bytes())?;
    engine.write_all(rest)?;
    let (from, to) = (client.try_clone()?, engine.try_clone()?);
    let left = Arc::new(AtomicBool::new(false));
    let leaves = Arc::clone(&left);
    let there = thread::spawn(move || {
        copy(from, &to);
        leaves.store(true, Ordering::SeqCst);
    });
    if upgrade {
        let number = shared.streams.fetch_add(1, Ordering::SeqCst);
        locked(&shared.attached).insert(number, client.try_clone()?);
        stream(engine, client, shared, &left);
        locked(&shared.attached).remove(&number);
    } else {
        copy(engine, client);
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = there.join();
    Ok(())
}

/// Copies what a container says, and loses it while streams are stalled. A stalled one does not tell of its end: it
/// stands until the daemon has `left`.
fn stream(mut from: UnixStream, mut to: &UnixStream, shared: &Shared, left: &AtomicBool) {
    let mut buffer = vec![0; 64 * 1024];
    let mut stalled = false;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        stalled |= shared.stalled.load(Ordering::SeqCst);
        if !stalled && to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
    stalled |= shared.stalled.load(Ordering::SeqCst);
    while stalled && !left.load(Ordering::SeqCst) {
        thread::park_timeout(DRIP);
    }
}

/// Copies to the end of one direction, and passes the end on.
fn copy(mut from: UnixStream, mut to: &UnixStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
