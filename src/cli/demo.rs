//! `demo`: serves the bundled site on loopback, crawls it with real politeness, and shows what was kept.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::parser::ValueSource;

use super::args::Common;
use super::crawl::{Performed, block_on, perform, progress};
use super::exit::{Outcome, failed};
use super::say;
use crate::crawl::{DATABASE, Lock, Plan, SeedInput};
use crate::demo::site::Site;
use crate::report::{self, table::Format};
use crate::store::Reader;
use crate::wire::Resolve;

/// Where the demo's archive goes when nothing else is said.
const ARCHIVE: &str = "demo-archive";

pub(super) fn run(common: &Common, source: Option<ValueSource>) -> Outcome {
    let archive = match source {
        Some(ValueSource::DefaultValue) | None => PathBuf::from(ARCHIVE),
        _ => common.archive.clone(),
    };
    let _lock = Lock::take(&archive)?;
    let Performed { summary, signal, .. } = block_on(crawl(common, &archive))?;
    let reader = Reader::open(&archive.join(DATABASE))?;
    let kept = reader.sql(
        "SELECT title, language AS lang, substr(published_local, 1, 10) AS published,
             images_kept || ' of ' || images AS pictures
         FROM article ORDER BY published, url",
    )?;
    let refused = Reader::open(&archive.join(DATABASE))?
        .sql("SELECT url, coalesce(reason, what) AS why FROM failure ORDER BY refused_by IS NULL, url")?;
    let width = super::output_width();
    let folder = archive.display();
    let files: String = summary.warc_files.iter().map(|file| format!("  {folder}/warc/{file}\n")).collect();
    let text = format!(
        "{}\nKept:\n{}\nNot kept, and why:\n{}\nThe files:\n{files}  {folder}/{DATABASE}\n\nTry next:\n  \
         pressmark status --archive {folder}\n  \
         pressmark query --archive {folder} --sql 'SELECT original, verdict, width, height FROM image'\n  \
         pressmark show --archive {folder} --raw http://lantern.example/feed.xml | gunzip\n",
        report::summary(&summary),
        report::table::format(&kept, Format::Table, width),
        report::table::format(&refused, Format::Table, width),
    );
    let shown = super::print_text(&text)?;
    Ok(signal.unwrap_or(shown))
}

async fn crawl(common: &Common, archive: &std::path::Path) -> anyhow::Result<Performed> {
    let site = Site::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    let site = site.map_err(|cause| failed("serve the demo site on loopback", cause))?;
    if !common.quiet {
        say(&format!("a small news site is served on {}; crawling it as politely as the real web", site.address()));
    }
    let mut plan = Plan::new(archive, site.seeds().into_iter().map(SeedInput::Url).collect());
    plan.profile = "demo".to_owned();
    plan.wire.spool_dir = plan.spool_folder();
    plan.wire.resolve =
        site.hosts().iter().map(|host| Resolve { host: (*host).to_owned(), port: 80, to: site.address() }).collect();
    let dead = dead_end()?;
    plan.wire.resolve.push(Resolve { host: site.dead_host().to_owned(), port: 80, to: dead });
    let mut progress = progress(common.quiet);
    let performed = perform(&plan, &mut progress).await?;
    progress.finish();
    Ok(performed)
}

/// An address on loopback where nobody listens.
fn dead_end() -> anyhow::Result<SocketAddr> {
    let probe = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    probe.and_then(|probe| probe.local_addr()).map_err(|cause| failed("find a free port", cause))
}
