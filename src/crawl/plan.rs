//! What one run is to do: the options of everything below, gathered. Who typed them is `cli`'s business.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::scope::Scope;
use crate::archive::{Compress, Dictionary, Stored, WriterOptions};
use crate::web::digest::Algorithm;
use crate::{archive, fetch, politeness, wire};

/// A plan for one run.
#[derive(Clone)]
pub struct Plan {
    /// The folder of the archive.
    pub archive: PathBuf,
    /// Stands in WARC file names and runs.
    pub profile: String,
    /// Where it begins.
    pub seeds: Vec<SeedInput>,
    /// Which URLs belong to it.
    pub scope: Scope,
    /// What a page brings along.
    pub brings: Brings,
    /// Pace and robots.
    pub politeness: politeness::Options,
    /// The door.
    pub wire: wire::Options,
    /// What every request says.
    pub fetch: fetch::Options,
    /// Requests in the air over all hosts.
    pub concurrency: usize,
    /// A WARC file that has reached this size is followed by another.
    pub warc_size: u64,
    /// So is one that is older.
    pub warc_age: Duration,
    /// How records are compressed.
    pub compress: Compress,
    /// The dictionary of zstd; without one, it is trained from the profile's first pages.
    pub dictionary: Option<Arc<Dictionary>>,
    /// Which digest stands in records.
    pub digest: Algorithm,
    /// In which form chunked answers are stored.
    pub framing: Stored,
    /// Whether the answers of name servers are kept.
    pub dns_records: bool,
    /// A host that refuses a picture may be told the `Referer` that it is known to want.
    pub referer_table: bool,
    /// Whether what is kept is asked for again.
    pub revisit: Revisit,
    /// When to stop.
    pub budget: Budget,
    /// Forget the queue first.
    pub fresh: bool,
    /// Decide and tell, and fetch only robots.txt and lists: `archive` is a folder that is thrown away, and this is the
    /// database of the archive that is looked at, if there is one.
    pub dry_run: Option<PathBuf>,
}

/// One place where seeds come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedInput {
    /// A URL given as such.
    Url(String),
    /// A document: its name (the path below the folder given; for standard input the digest), and its bytes.
    Document {
        /// Its name.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// What a page brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brings {
    /// Its pictures: the original, the page's own `src`, and what a desktop browser picks.
    pub images: bool,
    /// Its style sheets, what they name, its scripts and fonts.
    pub requisites: bool,
}

/// Whether what is kept is asked for again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revisit {
    /// What is due is, with validators: the seeds.
    #[default]
    Auto,
    /// Everything the run comes across is, in full.
    Always,
    /// Nothing is, not even a seed.
    Never,
}

/// When to stop; none is no limit. Reaching one is a clean end, the rest goes first next time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Pages fetched, exactly.
    pub pages: Option<u64>,
    /// Bytes received; no new page starts at 90 %.
    pub bytes: Option<u64>,
    /// Time since the start; no new page starts at 90 %.
    pub time: Option<Duration>,
    /// Time until an hour of the day; no new page starts in the last minute.
    pub until: Option<Duration>,
    /// Pages fetched for each seed, exactly, the seed among them.
    pub per_seed: Option<u64>,
    /// Bytes of the archive's WARC files, those of earlier runs included.
    pub archive: Option<u64>,
}

impl Plan {
    /// A plan with every default, for an archive and its seeds.
    pub fn new(archive: impl Into<PathBuf>, seeds: Vec<SeedInput>) -> Plan {
        Plan {
            archive: archive.into(),
            profile: "default".to_owned(),
            seeds,
            scope: Scope::default(),
            brings: Brings { images: true, requisites: true },
            politeness: politeness::Options::default(),
            wire: wire::Options::default(),
            fetch: fetch::Options::default(),
            concurrency: 64,
            warc_size: 1_000_000_000,
            warc_age: Duration::from_secs(24 * 3600),
            compress: Compress::Gzip,
            dictionary: None,
            digest: Algorithm::Sha1,
            framing: Stored::Entity,
            dns_records: false,
            referer_table: false,
            revisit: Revisit::Auto,
            budget: Budget::default(),
            fresh: false,
            dry_run: None,
        }
    }

    /// The folder of the WARC files.
    pub fn warc_folder(&self) -> PathBuf {
        self.archive.join("warc")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.archive.join(DATABASE)
    }

    /// Where long bodies and records wait; on the archive's own disk.
    pub fn spool_folder(&self) -> PathBuf {
        self.archive.join("spool")
    }

    /// How records are made.
    pub(super) fn record_options(&self) -> archive::Options {
        archive::Options {
            digest: self.digest,
            compress: self.compress,
            codebook: archive::Codebook::default(),
            framing: self.framing,
            dns_records: self.dns_records,
            spool_dir: self.spool_folder(),
        }
    }

    /// The WARC writer's options, with what its files say of this crawl (WARC/1.1, 6.2).
    pub(super) fn writer_options(&self) -> WriterOptions {
        let mut info = vec![
            ("software".to_owned(), concat!("pressmark/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("format".to_owned(), "WARC File Format 1.1".to_owned()),
            (
                "conformsTo".to_owned(),
                "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/".to_owned(),
            ),
            ("isPartOf".to_owned(), self.profile.clone()),
            ("robots".to_owned(), self.robots_word().to_owned()),
            ("http-header-user-agent".to_owned(), self.fetch.user_agent.clone()),
        ];
        if let Some(contact) = &self.fetch.contact {
            info.push(("operator".to_owned(), contact.clone()));
        }
        WriterOptions {
            folder: self.warc_folder(),
            profile: self.profile.clone(),
            max_size: self.warc_size,
            max_age: self.warc_age,
            compress: self.compress,
            dictionary: self.dictionary.clone(),
            info,
        }
    }

    /// The vocabulary of WARC/1.1, 6.2.
    fn robots_word(&self) -> &'static str {
        match self.politeness.robots {
            politeness::RobotsPolicy::Obey => "obey",
            politeness::RobotsPolicy::Ignore => "ignore",
        }
    }
}

/// Makes the folder for what waits: what is not yet anywhere is nobody else's to read.
pub fn make_spool(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The database's name in an archive.
pub const DATABASE: &str = "pressmark.sqlite3";
