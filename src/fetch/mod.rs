//! Fetches one URL: reqwest behind the door.
//!
//! One permit, one request, one [`Exchange`]. Redirects are never followed here, nothing is retried, nothing is
//! decoded. Whatever the network did is in the exchange; [`Error`] is only our own failure. [`Credentials`] are sent to
//! whom they are for, and are not in the exchange that comes back.

mod cookies;
mod credentials;

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;

use tokio::sync::watch;

use crate::politeness::Permit;
use crate::web::candidate::Role;
use crate::web::exchange::{Exchange, Validators};
use crate::web::time::{Clock, SystemClock, Timestamp};
use crate::web::url::{Origin, WebUrl};
use crate::wire::{self, Door, PASS_FIELD};

pub use credentials::{Credentials, Unfit};

/// What to ask for.
#[derive(Debug)]
pub struct Request {
    /// Leave to do it, once.
    pub permit: Permit,
    /// Where.
    pub url: WebUrl,
    /// What it is for; decides the `Accept` field.
    pub role: Role,
    /// The `Referer` that its page's policy sends.
    pub referer: Option<String>,
    /// What its last answer is recognised by: asks whether it has changed (RFC 9110, 13.1). Empty asks in full.
    pub validators: Validators,
}

/// Our own failure. But for [`Error::Spool`], nothing was sent and the permit can be returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client could not be built.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The HTTP client failed before the door saw its request.
    #[error("cannot hand the request for {url} to the door: {cause}")]
    Unsent {
        /// What was to be fetched.
        url: WebUrl,
        /// What the client said.
        cause: String,
    },
    /// The answer came, and there is no room for it: the run cannot go on.
    #[error("cannot spool a body in {}", folder.display())]
    Spool {
        /// Where to.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A setting that no request can carry.
    #[error("{field} cannot be sent as «{value}»")]
    Setting {
        /// The request field.
        field: &'static str,
        /// Its value.
        value: String,
    },
}

/// Does exchanges. Two implementations: [`Fetcher`], and the scripted web of the tests.
pub trait Transport: Send + Sync + 'static {
    /// Does one exchange to its end. It must set the permit's stamp when the request is written.
    fn exchange(&self, request: Request) -> impl Future<Output = Result<Exchange, Error>> + Send;

    /// Where an origin is, before anything is asked of it; none when that cannot be known.
    fn locate(&self, origin: &Origin) -> impl Future<Output = Option<IpAddr>> + Send;

    /// Ends everything that is in the air, now; what was received is returned as an abandoned exchange.
    fn cut(&self);
}

/// What every request says.
#[derive(Clone, Debug)]
pub struct Options {
    /// `User-Agent`.
    pub user_agent: String,
    /// `From`: how to reach whoever runs the crawl (RFC 9110, 10.1.2).
    pub contact: Option<String>,
    /// `Accept-Encoding`; empty sends none.
    pub accept_encoding: String,
    /// What only some servers may see.
    pub credentials: Credentials,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            user_agent: concat!("pressmark/", env!("CARGO_PKG_VERSION")).to_owned(),
            contact: None,
            accept_encoding: "gzip".to_owned(),
            credentials: Credentials::default(),
        }
    }
}

/// reqwest behind the door.
pub struct Fetcher {
    client: reqwest::Client,
    door: Door,
    credentials: Credentials,
    clock: SystemClock,
    cut: watch::Sender<bool>,
}

impl Fetcher {
    /// A client that goes out by this door and no other way.
    ///
    /// # Errors
    /// When a setting cannot stand in a request field, or the client cannot be built.
    pub fn new(door: Door, options: &Options) -> Result<Fetcher, Error> {
        use reqwest::header::{ACCEPT_ENCODING, FROM, HeaderMap, HeaderValue, USER_AGENT};
        let mut fields = HeaderMap::new();
        let contact = options.contact.as_deref().unwrap_or("");
        for (name, field, value) in [
            (USER_AGENT, "User-Agent", options.user_agent.as_str()),
            (FROM, "From", contact),
            (ACCEPT_ENCODING, "Accept-Encoding", options.accept_encoding.as_str()),
        ] {
            if !value.is_empty() {
                let value =
                    HeaderValue::from_str(value).map_err(|_| Error::Setting { field, value: value.to_owned() })?;
                fields.insert(name, value);
            }
        }
        let client = reqwest::Client::builder()
            .unix_socket(door.socket())
            .default_headers(fields)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // The door's pool is the only one: a connection to the door carries one exchange.
            .pool_max_idle_per_host(0)
            .http1_only()
            .http1_title_case_headers()
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .build()
            .map_err(Error::Client)?;
        let (credentials, clock) = (options.credentials.clone(), SystemClock::default());
        Ok(Fetcher { client, door, credentials, clock, cut: watch::Sender::new(false) })
    }

    /// Sends the request and reads on while the client likes the answer; the door records regardless.
    async fn drive(&self, pass: u64, request: &Request, now: Timestamp) -> Result<(), reqwest::Error> {
        use reqwest::header::{ACCEPT, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, REFERER};
        let Request { url, role, referer, validators, .. } = request;
        // Always http: the door does TLS. The origin in the pass decides where it goes.
        let plain = url.as_str().strip_prefix("https:").map(|rest| format!("http:{rest}"));
        let plain = plain.as_deref().unwrap_or(url.as_str());
        let mut sending = self
            .client
            .get(plain)
            .header(HOST, url.origin().authority())
            .header(ACCEPT, accept(*role))
            .header(PASS_FIELD, pass)
            .headers(self.credentials.for_url(url, now));
        let conditions = [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)];
        for (name, value) in [(REFERER, referer)].into_iter().chain(conditions) {
            if let Some(value) = value {
                sending = sending.header(name, value);
            }
        }
        let mut response = sending.send().await?;
        while response.chunk().await?.is_some() {}
        Ok(())
    }
}

impl Transport for Fetcher {
    async fn exchange(&self, request: Request) -> Result<Exchange, Error> {
        let (pass, recording) = self.door.pass(&request.url, request.permit.stamp().clone()).await;
        let (url, now) = (request.url.clone(), self.clock.wall());
        let driven = async {
            // The client's word counts only while the door has not seen the request: then no recording will come.
            match self.drive(pass.id(), &request, now).await {
                Err(cause) if pass.take_back() => Err(cause.to_string()),
                _ => Ok(()),
            }
        };
        let overslept = async {
            tokio::time::sleep(self.door.pick_up()).await;
            if !pass.take_back() {
                std::future::pending::<()>().await;
            }
        };
        let cut = tokio::select! {
            biased;
            () = wanted(self.cut.subscribe()) => true,
            driven = driven => driven.map(|()| false).map_err(|cause| Error::Unsent { url: url.clone(), cause })?,
            () = overslept => return Err(Error::Unsent { url, cause: "the door did not see it in time".to_owned() }),
        };
        // The client is done with the answer or dislikes it; the door reads on to the end, unless it is cut.
        let finished = recording.finished();
        tokio::pin!(finished);
        let mut pass = Some(pass).filter(|_| !cut);
        let exchange = loop {
            tokio::select! {
                biased;
                exchange = &mut finished => break exchange,
                () = wanted(self.cut.subscribe()), if pass.is_some() => drop(pass.take()),
            }
        };
        match exchange {
            Ok(Some(mut exchange)) => {
                self.credentials.withhold(&mut exchange, now);
                Ok(exchange)
            }
            Err(wire::Error::Spool { folder, source }) => Err(Error::Spool { folder, source }),
            Ok(None) | Err(_) => Err(Error::Unsent { url, cause: "the door gave it up".to_owned() }),
        }
    }

    async fn locate(&self, origin: &Origin) -> Option<IpAddr> {
        tokio::select! {
            address = self.door.locate(origin) => address,
            () = wanted(self.cut.subscribe()) => None,
        }
    }

    fn cut(&self) {
        self.cut.send_replace(true);
    }
}

/// Completes when everything in the air is to be ended.
async fn wanted(mut cut: watch::Receiver<bool>) {
    if cut.wait_for(|cut| *cut).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What a browser of 2026 asks for.
fn accept(role: Role) -> &'static str {
    match role {
        Role::Page | Role::Document => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        Role::Image => "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
        Role::Style => "text/css,*/*;q=0.1",
        Role::Robots | Role::Script | Role::Font => "*/*",
    }
}
