//! The index of a WARC file, beside cdxj-indexer: the same lines, by the processor time of both programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pressmark::archive::{self, Codebook, Compress, Notes, Options, Stored, Writer, WriterOptions};
use pressmark::web::candidate::Role;
use pressmark::web::digest::Algorithm;

use super::{Failure, NOW, ROUNDS, TICKS_PER_SECOND, children_ticks, exchanges};

pub(super) fn indexing(folder: &Path) -> Result<(), Failure> {
    let indexer = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/indexers/bin/cdxj-indexer");
    if !indexer.is_file() {
        println!("indexing: left out, cdxj-indexer is not in target/indexers (make test puts it there)\n");
        return Ok(());
    }
    let folder = tempfile::tempdir_in(folder)?;
    let file = filled(folder.path())?;
    let [ours, theirs] = ["ours.cdxj", "theirs.cdxj"].map(|name| folder.path().join(name));
    let mut export = Command::new(env!("CARGO_BIN_EXE_pressmark"));
    export.args(["export", "cdxj", "--quiet", "--force"]).arg(&ours).arg(&file);
    let mut baseline = Command::new(indexer);
    baseline.arg("--sort").arg(&file).arg("-o").arg(&theirs);
    let (ours_took, theirs_took) = (middle(&mut export)?, middle(&mut baseline)?);
    let lines = std::fs::read_to_string(&ours)?;
    if lines != std::fs::read_to_string(&theirs)? {
        return Err("the two indexes differ".into());
    }
    let (megabytes, lines) = (file.metadata()?.len() as f64 / 1e6, lines.lines().count() as f64);
    println!("indexing: {megabytes:.0} MB, one gzip member a record, {lines} lines; processor seconds");
    println!("{:<58} {:>9} {:>9} {:>8} {:>7}", "", "CPU s", "lines/s", "MB/s", "ratio");
    for (what, took) in [("export cdxj", ours_took), ("baseline: cdxj-indexer --sort, the same lines", theirs_took)] {
        println!("{what:<58} {took:>9.2} {:>9.0} {:>8.0} {:>7.2}", lines / took, megabytes / took, took / ours_took);
    }
    println!("ratio: processor time, the first line being 1.\n");
    Ok(())
}

/// A WARC file of the usual pages and pictures.
fn filled(folder: &Path) -> Result<PathBuf, Failure> {
    let compress = Compress::Gzip;
    let options = Options {
        digest: Algorithm::Sha1,
        compress,
        codebook: Codebook::default(),
        framing: Stored::Entity,
        dns_records: false,
        spool_dir: folder.to_owned(),
    };
    let mut writer = Writer::new(WriterOptions {
        folder: folder.to_owned(),
        profile: "bench".to_owned(),
        max_size: 1 << 40,
        max_age: Duration::from_secs(86400),
        compress,
        dictionary: None,
        info: vec![("software".to_owned(), "bench".to_owned())],
    })?;
    let exchanges = exchanges()?;
    let mut written = Vec::new();
    for exchange in &exchanges {
        let notes = Notes::new("http://news.example/feed.xml", Role::Page);
        let encoded = archive::encode(exchange, notes, &options)?.ok_or("an answer is missing")?;
        written.push(writer.append(encoded, NOW)?);
    }
    writer.sync(written)?;
    let name = writer.current().ok_or("no file was written")?.0.to_owned();
    writer.close()?;
    Ok(folder.join(name))
}

/// Processor seconds of a program: the middle one of some rounds.
fn middle(command: &mut Command) -> Result<f64, Failure> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let before = children_ticks().ok_or("there is no /proc")?;
        let output = command.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        rounds.push(children_ticks().ok_or("there is no /proc")? - before);
    }
    rounds.sort_unstable();
    // Less than a tick cannot be seen.
    Ok(rounds[ROUNDS / 2].max(1) as f64 / TICKS_PER_SECOND)
}
