//! The one door out to the network.
//!
//! reqwest is the HTTP client, but it cannot hand out what was on the wire: the order and case of header fields, the
//! request as sent, TLS facts, half an answer, an answer it dislikes. So it speaks plain HTTP to this door over a
//! private unix socket, one connection per exchange, and the door does the rest: it resolves the name, checks the
//! address it really connects to, does TLS, keeps idle connections, writes the request, frames the answer from the raw
//! bytes and records both directions.
//!
//! Promises: a request without a live [`Pass`] causes no traffic, and a pass is good for one exchange, so nothing is
//! ever sent twice or unasked. The recording holds at least what the client saw. The door never makes an answer up.
//! It enforces no pace; that is the gate's. Why it exists: `docs/decisions/0001-one-door.md`.

mod dial;
mod exchange;
mod guard;
mod names;
mod pool;
mod proxy;
mod spool;
mod stream;
mod trust;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

pub use guard::Guard;
pub use names::Resolve;
pub use proxy::{NotProxy, Proxy};

use crate::web::exchange::Exchange;
use crate::web::time::{Clock, Stamp, Timestamp};
use crate::web::url::{Origin, WebUrl};

/// The private request field that names a pass; it never leaves the process.
pub const PASS_FIELD: &str = "x-pressmark-pass";
/// Descriptors an exchange may take: two ends of the unix socket, one to the origin, one spool file. Two more for a
/// moment, where addresses are tried side by side.
const DESCRIPTORS_PER_EXCHANGE: u64 = 4;
/// Descriptors kept for the archive, the database, the log and the like.
const DESCRIPTORS_RESERVED: u64 = 64;
/// The soft limit is raised to this, where the hard limit allows.
const DESCRIPTORS_WANTED: u64 = 8192;
/// Idle origin connections kept in all.
const IDLE_CONNECTIONS: usize = 256;
/// A pass that is not picked up within this time is a fault of our own.
const PICK_UP: Duration = Duration::from_secs(5);

/// How the door goes about it.
#[derive(Clone)]
pub struct Options {
    /// No progress for so long ends an attempt: name, connection, TLS, head, body, each counted anew.
    pub timeout: Duration,
    /// An idle connection is kept for so long.
    pub idle: Duration,
    /// Bodies are cut at this many bytes.
    pub max_body: u64,
    /// Bodies above this many bytes go to a file.
    pub spool_from: u64,
    /// Where such files stand while they are needed.
    pub spool_dir: PathBuf,
    /// Addresses given for names, each allowed by that.
    pub resolve: Vec<Resolve>,
    /// Name servers to ask in place of the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Whether exchanges tell what name servers answered.
    pub tell_names: bool,
    /// Which addresses may be connected to.
    pub guard: Guard,
    /// The roots that certificates must lead to.
    pub roots: Arc<rustls::RootCertStore>,
    /// Certificates that do not are let through, and noted.
    pub insecure: bool,
    /// What all connections go through.
    pub proxy: Option<Proxy>,
    /// The proxy resolves names; then the guard sees literal addresses only.
    pub proxy_dns: bool,
}

impl Default for Options {
    fn default() -> Options {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        Options {
            timeout: Duration::from_secs(30),
            idle: Duration::from_secs(15),
            max_body: 100_000_000,
            spool_from: 1 << 20,
            spool_dir: std::env::temp_dir(),
            resolve: Vec::new(),
            name_servers: Vec::new(),
            tell_names: false,
            guard: Guard::default(),
            roots: Arc::new(roots),
            insecure: false,
            proxy: None,
            proxy_dns: false,
        }
    }
}

/// Why the door itself cannot work. What the network does is never an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No socket for the client to come in by.
    #[error("cannot open the door's own socket")]
    Socket(#[source] io::Error),
    /// The TLS library refuses its settings.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// A long body cannot be spooled: the disk is full. What was answered is not recorded.
    #[error("cannot spool a body in {}", folder.display())]
    Spool {
        /// Where to.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The door; see the module's head. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    inner: Arc<Inner>,
    /// Held for its drop: closes the listener with the last door.
    _listener: Arc<Listener>,
}

struct Inner {
    options: Options,
    clock: Arc<dyn Clock>,
    names: names::Names,
    tls: tokio_rustls::TlsConnector,
    judge: Arc<trust::Judge>,
    waiting: Mutex<HashMap<u64, Slot>>,
    pool: pool::Pool,
    next: AtomicU64,
    connects: AtomicU64,
    turned_away: AtomicU64,
    room: Arc<Semaphore>,
    socket: PathBuf,
}

struct Listener {
    task: JoinHandle<()>,
    /// Where the socket is a file: the private folder it stands in.
    _folder: Option<tempfile::TempDir>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What waits for a client to come in with its pass.
struct Slot {
    url: WebUrl,
    at: Timestamp,
    stamp: Stamp,
    given_up: oneshot::Receiver<()>,
    done: oneshot::Sender<Result<Exchange, Error>>,
}

/// Admits one exchange. Dropping it ends the exchange at once; what was recorded until then is kept.
pub struct Pass {
    id: u64,
    inner: Arc<Inner>,
    _live: oneshot::Sender<()>,
}

/// What was recorded of an exchange, once it is over. It comes even when the client failed.
pub struct Recording {
    exchange: oneshot::Receiver<Result<Exchange, Error>>,
    _room: OwnedSemaphorePermit,
}

impl Pass {
    /// The value of [`PASS_FIELD`].
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Takes the pass back if nobody has come in with it: then nothing was sent and nothing will be recorded.
    pub fn take_back(&self) -> bool {
        lock(&self.inner.waiting).remove(&self.id).is_some()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.inner.waiting).remove(&self.id);
    }
}

impl Recording {
    /// Waits for the end of the exchange; none when it never began.
    ///
    /// # Errors
    /// [`Error::Spool`].
    pub async fn finished(self) -> Result<Option<Exchange>, Error> {
        self.exchange.await.ok().transpose()
    }
}

impl Door {
    /// Opens the door. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// When the private socket or TLS cannot be set up; neither depends on the network.
    pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Door, Error> {
        let (socket, listener, folder) = listen().map_err(Error::Socket)?;
        let (tls, judge) = stream::connector(&options).map_err(Error::Tls)?;
        let names = names::Options {
            given: options.resolve.clone(),
            servers: options.name_servers.clone(),
            timeout: options.timeout,
            tell: options.tell_names,
        };
        let room = usize::try_from((descriptors().saturating_sub(DESCRIPTORS_RESERVED)) / DESCRIPTORS_PER_EXCHANGE);
        let inner = Arc::new(Inner {
            names: names::Names::new(&names),
            options,
            clock,
            tls,
            judge,
            waiting: Mutex::default(),
            pool: pool::Pool::new(IDLE_CONNECTIONS),
            next: AtomicU64::new(1),
            connects: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            room: Arc::new(Semaphore::new(room.unwrap_or(64).clamp(1, 4096))),
            socket,
        });
        let task = tokio::spawn(receive(inner.clone(), listener));
        Ok(Door { inner, _listener: Arc::new(Listener { task, _folder: folder }) })
    }

    /// The unix socket that the client connects to for everything.
    pub fn socket(&self) -> &std::path::Path {
        &self.inner.socket
    }

    /// A pass for one exchange with the URL's origin, and what will be recorded of it. `stamp` is set when the request
    /// has been written. Waits while the process is short of descriptors.
    pub async fn pass(&self, url: &WebUrl, stamp: Stamp) -> (Pass, Recording) {
        // The semaphore is never closed.
        let room = self.inner.room.clone().acquire_owned().await.expect("the door's semaphore stays open");
        let id = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let (live, given_up) = oneshot::channel();
        let (done, exchange) = oneshot::channel();
        let slot = Slot { url: url.clone(), at: self.inner.clock.wall(), stamp, given_up, done };
        lock(&self.inner.waiting).insert(id, slot);
        let pass = Pass { id, inner: self.inner.clone(), _live: live };
        (pass, Recording { exchange, _room: room })
    }

    /// The address that an origin would be connected to first, by what its name says now; none when it has none that may
    /// be connected to, or a proxy resolves names. Nothing is sent to it.
    pub async fn locate(&self, origin: &Origin) -> Option<IpAddr> {
        let found = self.inner.resolve(origin).await.ok()??;
        let admitted = self.inner.admitted(found.addresses).ok()?;
        admitted.first().map(|address| address.to.ip())
    }

    /// How long a pass may lie before it is taken back.
    pub fn pick_up(&self) -> Duration {
        PICK_UP
    }

    /// Connections made to origins so far.
    pub fn connects(&self) -> u64 {
        self.inner.connects.load(Ordering::Relaxed)
    }

    /// Requests that came without a live pass.
    pub fn turned_away(&self) -> u64 {
        self.inner.turned_away.load(Ordering::Relaxed)
    }
}

/// The value behind a lock; a panic elsewhere does not make it unusable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An abstract socket where there are such, else a file in a folder of our own.
fn listen() -> io::Result<(PathBuf, UnixListener, Option<tempfile::TempDir>)> {
    if cfg!(target_os = "linux") {
        let path = PathBuf::from(format!("\0pressmark-{}", uuid::Uuid::new_v4().simple()));
        let listener = UnixListener::bind(&path)?;
        return Ok((path, listener, None));
    }
    let folder = tempfile::Builder::new().prefix("pressmark-").tempdir()?;
    let path = folder.path().join("door");
    let listener = UnixListener::bind(&path)?;
    Ok((path, listener, Some(folder)))
}

/// Raises the soft limit of open files as far as it may be, and says what it is.
fn descriptors() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let (Some(soft), hard) = (limit.current, limit.maximum) else { return DESCRIPTORS_WANTED };
    let want = hard.map_or(DESCRIPTORS_WANTED, |hard| hard.min(DESCRIPTORS_WANTED));
    if want > soft && setrlimit(Resource::Nofile, Rlimit { current: Some(want), maximum: hard }).is_ok() {
        return want;
    }
    soft
}

/// Lets clients in: those of this very process.
async fn receive(inner: Arc<Inner>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((client, _)) if is_ours(&client) => {
                let inner = inner.clone();
                tokio::spawn(async move { inner.serve(client).await });
            }
            Ok(_) => {}
            // Out of descriptors: idle connections are the ones we can do without.
            Err(_) => {
                inner.pool.clear();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

fn is_ours(client: &UnixStream) -> bool {
    client.peer_cred().is_ok_and(|peer| peer.pid().is_some_and(|pid| u32::try_from(pid) == Ok(std::process::id())))
}
