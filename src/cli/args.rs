//! Every option, declared once: name, default, unit and help. The settings file and the environment use the same names.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::NaiveTime;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use regex::Regex;

use super::units::{duration, hour, since, size, some_size, until};
use crate::crawl::{Depth, Reach};
use crate::report;
use crate::web::time::Timestamp;
use crate::wire::Resolve;

/// Where name servers listen (RFC 1035, 4.2).
const DNS_PORT: u16 = 53;

/// Keeps articles and their pictures: crawls politely, archives in WARC, describes in SQLite
#[derive(Debug, Parser)]
#[command(
    name = "pressmark",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, a clean budget stop included · 1 failed, or no seed could be fetched at all · 2 usage or \
        settings · 3 with --strict: something is incomplete or failed · 65 damage found · 74 the archive cannot be written · 75 another run \
        holds the archive · 130/143 stopped by a signal. Every option can stand in pressmark.toml under the same name, and \
        in the environment as PRESSMARK_NAME."
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone, Debug)]
pub(super) struct Common {
    /// The folder of the archive
    #[arg(long, global = true, value_name = "DIR", default_value = "archive")]
    pub archive: PathBuf,
    /// The settings file [default: pressmark.toml where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print only problems
    #[arg(long, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One run: fetch what the seeds name, archive it, describe it
    Crawl(Box<Crawl>),
    /// Serve a small bundled news site on loopback and crawl it into --archive (default demo-archive)
    Demo,
    /// What the archive holds, what waits, and how the last runs went
    Status {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Ask the database
    Query {
        /// Read-only SQL; the views article, image, capture_log, failure and robots_verdict are meant for it
        #[arg(long, value_name = "SELECT")]
        sql: String,
        /// table, json, jsonl, csv or tsv; in csv and tsv, text that a spreadsheet would run as a formula begins with '
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: report::table::Format,
        /// Write the answer to a file
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// What was captured of a URL
    #[command(group(ArgGroup::new("form").args(["raw", "wire"])))]
    Show {
        /// The URL
        url: String,
        /// Print the payload of its best capture: the body with its codings as they were sent
        #[arg(long)]
        raw: bool,
        /// Print the answer exactly as it was received, framing included
        #[arg(long)]
        wire: bool,
        /// Only the capture at that time, else the first after it: 2026-11-22, or 2026-11-22T13:46:25Z
        #[arg(long, value_name = "TIME", value_parser = until)]
        at: Option<Timestamp>,
    },
    /// Show what the extractor sees in local HTML: one JSON object a line and document
    Extract {
        /// Pages, or posts (.md); - is standard input [default: -]
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Read lines such as {"id": 1, "url": "http://…", "path": "a.html"} and answer each before the next is read
        ///
        /// A line may also have content_type, headers, fetched and timezone. A line that cannot be answered is answered
        /// with {"id", "error"}, and the exit code is 1.
        #[arg(long, conflicts_with = "files")]
        jsonl: bool,
        #[command(flatten)]
        known: super::extract::Known,
    },
    /// Say of each URL: canonical form, sort key, what it wraps, scope rule, robots rule, pace, captures
    Explain {
        /// The URLs
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        scope: ScopeArgs,
        #[command(flatten)]
        pace: PaceArgs,
        #[command(flatten)]
        manners: MannersArgs,
    },
    /// Check files of any tool, or the whole archive and its database: records, digests, field rules, indexes, packages
    Verify {
        /// WARC files, packages (WACZ), indexes (CDXJ), or folders of them [default: the archive at --archive]
        #[arg(value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
        /// Print one JSON object: verdict, files, records, bytes, rows, seconds, counts and findings, at most 1000 a code
        #[arg(long)]
        json: bool,
    },
    /// Cut torn tails, seal files a killed run left open, leave out what is damaged, put rows right
    ///
    /// What is cut off or left out is kept in damaged/, and the URLs of captures that are lost are asked again. It exits
    /// with 0 when that was all there was to do, whatever was lost, and with 65 when rows are left that lead nowhere or
    /// are not what their records say: those are for reindex.
    Repair {
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Make the database anew from the WARC files; what only the old one knows is kept
    Reindex,
    /// Take other tools' WARC files and WACZ packages into the archive
    ///
    /// What the archive has already is left out, and so is what was forgotten. What cannot be read or is not what its
    /// digest says is left out and named: it then exits with 65.
    Import {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Take-down: remove every record of a URL and of whatever has the same content; leaves a tombstone and a line
    ///
    /// The URL is neither fetched nor imported any more, captured before or not. Exports and damaged files in the
    /// archive's folder go too: they may hold it.
    Forget {
        /// The URL
        url: String,
        /// Why; it stands in takedown.jsonl and in the tombstones
        #[arg(long, value_name = "TEXT", required_unless_present = "undo", value_parser = reason)]
        reason: Option<String>,
        /// List what would go, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Let a forgotten URL be fetched again
        #[arg(long, conflicts_with = "dry_run")]
        undo: bool,
    },
    /// Hide a URL from replay; nothing is removed
    ///
    /// What is to leave the archive and its exports too is for forget.
    Block {
        /// The URL
        url: String,
        /// Why; it stands in takedown.jsonl
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// Show it again
        #[arg(long)]
        undo: bool,
    },
    /// Pack all of the archive, or a selection with what its pages need, for the journey
    ///
    /// What is blocked is hidden from replay alone: exports hold it.
    Export(Box<Export>),
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Args, Clone, Debug)]
pub(super) struct ScopeArgs {
    /// auto: feeds, sitemaps and list pages lead to the articles they list, an article leads nowhere; N: follow links N hops
    #[arg(long, value_name = "N|auto", default_value = "auto")]
    pub depth: Depth,
    /// Which pages may be followed; images and requisites come from any host
    #[arg(long, value_enum, default_value_t = ReachArg::Host)]
    pub scope: ReachArg,
    /// Follow only URLs that match; repeatable
    #[arg(long, value_name = "RE")]
    pub include: Vec<Regex>,
    /// Follow no URL that matches; repeatable
    #[arg(long, value_name = "RE")]
    pub exclude: Vec<Regex>,
}

#[derive(Args, Clone, Debug)]
pub(super) struct PaceArgs {
    /// Least time between starts of page-like requests on one host
    #[arg(long, value_name = "DUR", default_value = "1s", value_parser = duration)]
    pub delay: Duration,
}

#[derive(Args, Clone, Debug)]
pub(super) struct MannersArgs {
    /// Whether robots.txt binds
    #[arg(long, value_enum, default_value_t = RobotsArg::Obey)]
    pub robots: RobotsArg,
    /// Who asks
    #[arg(long, value_name = "TEXT", default_value = concat!("pressmark/", env!("CARGO_PKG_VERSION")))]
    pub user_agent: String,
}

#[derive(Args, Debug)]
pub(super) struct Crawl {
    /// URLs, files, folders, or - for standard input
    #[arg(value_name = "SEED", default_value = "seeds/")]
    pub seeds: Vec<String>,
    /// A section of pressmark.toml; stands in WARC file names and runs
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = profile)]
    pub profile: String,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Each picture's original, the page's src, and what a desktop browser picks
    #[arg(long, value_enum, default_value_t = AllOrNone::All)]
    pub images: AllOrNone,
    /// Style sheets and what they name, scripts, fonts
    #[arg(long, value_enum, default_value_t = AllOrNone::All)]
    pub requisites: AllOrNone,
    #[command(flatten)]
    pub pace: PaceArgs,
    /// The same for images and other requisites, with a burst of 4 [default: a fifth of --delay]
    #[arg(long, value_name = "DUR", value_parser = duration)]
    pub requisite_delay: Option<Duration>,
    /// Connections for page-like requests, a host
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub per_host: usize,
    /// Connections for requisites, a host
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = at_least_one)]
    pub requisites_per_host: usize,
    /// Requests in the air over all hosts
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub concurrency: usize,
    /// No progress for so long ends an attempt
    #[arg(long, value_name = "DUR", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// Longer bodies are cut and marked
    #[arg(long, value_name = "SIZE", default_value = "100MB", value_parser = size)]
    pub max_body: u64,
    /// Stop cleanly after so many pages
    #[arg(long, value_name = "N")]
    pub max_pages: Option<u64>,
    /// Stop cleanly after so many bytes received
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_bytes: Option<u64>,
    /// Stop cleanly after so long; in its last tenth pages end and none begins
    #[arg(long, value_name = "DUR", value_parser = duration)]
    pub max_time: Option<Duration>,
    /// Stop cleanly when the clock next shows this time; a minute before, pages end and none begins
    #[arg(long, value_name = "HH:MM", value_parser = hour)]
    pub stop_at: Option<NaiveTime>,
    /// Fetch so many pages for each seed, itself included; the rest goes first next time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub per_seed: Option<u64>,
    /// Stop cleanly when the archive's WARC files have this size
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_archive: Option<u64>,
    #[command(flatten)]
    pub manners: MannersArgs,
    /// How to reach you: an e-mail address or a URL, sent as From
    #[arg(long, value_name = "TEXT")]
    pub contact: Option<String>,
    /// Content codings to ask for; others are understood if sent
    #[arg(long, value_name = "LIST", default_value = "gzip")]
    pub accept_encoding: String,
    /// Send this field to that origin, and to no other; repeatable. Its value is in no file that pressmark writes; to keep
    /// it out of the list of processes, put it into pressmark.toml or, one a line, into PRESSMARK_HEADER
    #[arg(long, value_name = "ORIGIN Name: value")]
    pub header: Vec<String>,
    /// Send the cookies of this file (cookies.txt, as browsers' exporters write it) to the hosts they are for
    #[arg(long, value_name = "FILE")]
    pub cookies: Option<PathBuf>,
    /// Connect to this address for that host, and allow it; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDR[:PORT]")]
    pub resolve: Vec<Resolve>,
    /// Let these private or local addresses through; repeatable
    #[arg(long, value_name = "CIDR", value_parser = block)]
    pub allow_address: Vec<IpNet>,
    /// Ask this name server in place of the system's and of its table of hosts; repeatable
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = name_server)]
    pub name_server: Vec<SocketAddr>,
    /// Go through this proxy: http:// (by CONNECT, to port 80 as well) or socks5://, with a name and a password before the host if need be; HTTP_PROXY and the like are not read
    #[arg(long, value_name = "URL", hide_default_value = true)]
    pub proxy: Option<String>,
    /// Let the --proxy resolve names; the addresses they have are then its business, and go unchecked
    #[arg(long)]
    pub proxy_dns: bool,
    /// Take certificates that are expired, self-signed or for another name, and note what is wrong with them
    #[arg(long)]
    pub insecure: bool,
    /// Trust the certificates in this PEM file as well
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// A WARC file of this size is followed by another
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = some_size)]
    pub warc_size: u64,
    /// So is one of this age
    #[arg(long, value_name = "DUR", default_value = "24h", value_parser = duration)]
    pub warc_age: Duration,
    /// How records are compressed
    #[arg(long, value_enum, default_value_t = CompressArg::Gzip)]
    pub compress: CompressArg,
    /// With zstd: a trained dictionary, or text to train one from [default: the profile's first pages]
    #[arg(long, value_name = "FILE")]
    pub dictionary: Option<PathBuf>,
    /// Which digest stands in records
    #[arg(long, value_enum, default_value_t = DigestArg::Sha1)]
    pub digest: DigestArg,
    /// How chunked answers are stored: undone, so that every tool agrees on them, or chunk by chunk as they came
    #[arg(long, value_enum, default_value_t = FramingArg::Entity)]
    pub framing: FramingArg,
    /// When a host refuses a picture, also send the Referer that it is known to want, though the page would not
    #[arg(long)]
    pub referer_table: bool,
    /// Keep the answers of name servers as records
    #[arg(long)]
    pub dns_records: bool,
    /// Fetch again what is kept? auto: seeds, asked whether they have changed
    #[arg(long, value_enum, default_value_t = RevisitArg::Auto)]
    pub revisit: RevisitArg,
    /// While another run holds the archive: fail (exit 75), skip (exit 0), or wait=DUR
    #[arg(long, value_name = "fail|skip|wait=DUR", default_value = "fail")]
    pub if_running: IfRunning,
    /// Exit 3 when anything is incomplete or failed
    #[arg(long)]
    pub strict: bool,
    /// Forget the queue, keep the archive
    #[arg(long)]
    pub fresh: bool,
    /// Print each URL with the rule that decides on it; fetch only robots.txt, seeds and sitemaps, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub(super) struct Export {
    /// What to make
    #[arg(value_enum, value_name = "wacz|cdxj|warc", hide_possible_values = true)]
    pub what: ExportKind,
    /// The file, for cdxj also - for standard output; for warc a name that does not end in .warc, .warc.gz or .warc.zst is a
    /// folder of files
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// For cdxj: index these files, whoever wrote them, in place of the archive
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    /// For warc: how records are compressed [default: as OUT says, else gzip]
    #[arg(long, value_enum)]
    pub compress: Option<CompressArg>,
    /// In folders and packages, a WARC file of this size is followed by another
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = some_size)]
    pub warc_size: u64,
    /// For wacz: what the package is called
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Replace the file OUT
    #[arg(long)]
    pub force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportKind {
    /// One package with records, index and pages, for ReplayWeb.page and others
    Wacz,
    /// The index of the records
    Cdxj,
    /// The records
    Warc,
}

#[derive(Args, Clone, Debug)]
pub(super) struct SelectArgs {
    /// Only URLs that begin so
    #[arg(long, value_name = "URL")]
    pub url_prefix: Option<String>,
    /// Only this host and those below it
    #[arg(long, value_name = "HOST")]
    pub site: Option<String>,
    /// Only what was captured on this day or at this instant, or later
    #[arg(long, value_name = "DATE", value_parser = since)]
    pub since: Option<Timestamp>,
    /// Only what was captured up to this day, or before this instant
    #[arg(long, value_name = "DATE", value_parser = until)]
    pub until: Option<Timestamp>,
    /// Only what this run captured
    #[arg(long, value_name = "N")]
    pub run: Option<i64>,
}

/// Somebody will want to know it in ten years.
fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("say why: it is all that is left of it".to_owned()) } else { Ok(text.to_owned()) }
}

/// It becomes part of file names.
fn profile(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !text.is_empty() && !text.starts_with('.') && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err(format!("«{text}» is no profile name: letters, digits, «_», «.» and «-» make one"))
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let address = text.parse().or_else(|_| bare.map(|address| SocketAddr::new(address, DNS_PORT)));
    address.map_err(|_| format!("«{text}» is no address of a name server: ADDR, ADDR:PORT or [ADDR]:PORT"))
}

/// A block of addresses, or a single one.
fn block(text: &str) -> Result<IpNet, String> {
    let single = text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or(single).map_err(|_| format!("«{text}» is no address and no block of them, as in 10.0.0.0/8"))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("«{text}» is not a number from 1 on"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReachArg {
    /// The host of the seed or of the page that links
    Host,
    /// Their registrable domains
    Domain,
    /// Below the seed
    Prefix,
    /// Anywhere
    Any,
}

impl From<ReachArg> for Reach {
    fn from(arg: ReachArg) -> Reach {
        match arg {
            ReachArg::Host => Reach::Host,
            ReachArg::Domain => Reach::Domain,
            ReachArg::Prefix => Reach::Prefix,
            ReachArg::Any => Reach::Any,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AllOrNone {
    All,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RobotsArg {
    Obey,
    Ignore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CompressArg {
    Gzip,
    Zstd,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DigestArg {
    Sha1,
    Sha256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FramingArg {
    Entity,
    Wire,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RevisitArg {
    /// What is due: the seeds, asked whether they have changed
    Auto,
    /// Whatever the run comes across, in full
    Always,
    /// Nothing, not even a seed
    Never,
}

/// What to do while another run holds the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IfRunning {
    Fail,
    Skip,
    Wait(Duration),
}

impl FromStr for IfRunning {
    type Err = String;

    fn from_str(text: &str) -> Result<IfRunning, String> {
        match text.split_once('=') {
            None if text == "fail" => Ok(IfRunning::Fail),
            None if text == "skip" => Ok(IfRunning::Skip),
            Some(("wait", limit)) => duration(limit).map(IfRunning::Wait),
            _ => Err(format!("«{text}» is none of fail, skip, wait=DUR")),
        }
    }
}
