//! `export`: from what was typed to an export, and what came of it.

use std::io::Write;

use super::args::{Common, CompressArg, Export, ExportKind};
use super::exit::{Exit, Outcome, usage};
use super::say;
use super::upkeep::watch;
use crate::archive::Compress;
use crate::report::counted;
use crate::store::Selection;
use crate::upkeep::Error;
use crate::upkeep::export::{self, Packing, compress_of};

/// Exports as it was asked for.
pub(super) fn run(common: &Common, typed: Export) -> Outcome {
    let Export { what, out, files, select, compress, warc_size, title, force } = typed;
    let selection = Selection {
        url_prefix: select.url_prefix,
        site: select.site.map(|site| site.to_lowercase()),
        since: select.since,
        until: select.until,
        run: select.run,
    };
    let is_file = compress_of(&out).is_some();
    let is_output = out.as_os_str() == "-";
    refuse(&[
        (is_output && what != ExportKind::Cdxj, "only «export cdxj» can write to standard output: name a file"),
        (is_output && force, "standard output takes no file's place"),
        (!files.is_empty() && what != ExportKind::Cdxj, "only «export cdxj» takes files"),
        (
            !files.is_empty() && !selection.is_all(),
            "files are indexed as a whole: a selection is made from the archive",
        ),
        (compress.is_some() && what != ExportKind::Warc, "--compress is for «export warc»"),
        (title.is_some() && what != ExportKind::Wacz, "--title is for «export wacz»"),
        (force && what == ExportKind::Warc && !is_file, "--force replaces a file; a folder must be new or empty"),
    ])?;
    let export = export::Export { archive: common.archive.clone(), selection, out, force };
    let exported = match what {
        ExportKind::Cdxj if is_output => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let printed = watch(common.quiet, |watch| {
                let printed = export::print_cdxj(&export, &files, watch, &mut out);
                printed
                    .and_then(|printed| out.flush().map_err(Error::io("write to", "standard output")).map(|()| printed))
            });
            return printed.map(|_| Exit::Done).or_else(enough);
        }
        ExportKind::Cdxj => watch(common.quiet, |watch| export::cdxj(&export, &files, watch)),
        ExportKind::Warc => {
            let packing = Packing { compress: packed(compress, compress_of(&export.out))?, max_size: warc_size };
            watch(common.quiet, |watch| export::warc(&export, packing, watch))
        }
        ExportKind::Wacz => watch(common.quiet, |watch| export::wacz(&export, title.as_deref(), warc_size, watch)),
    }?;
    if !common.quiet {
        let (records, files) = (counted(exported.records, "record"), counted(exported.files, "WARC file"));
        let out = export.out.display();
        say(&match what {
            ExportKind::Cdxj => format!("{out}: {}", counted(exported.records, "line")),
            ExportKind::Warc => format!("{out}: {records} in {files}"),
            ExportKind::Wacz => format!("{out}: {}, {records} in {files}", counted(exported.pages, "page")),
        });
    }
    Ok(Exit::Done)
}

/// A reader that has gone away has had enough.
fn enough(error: anyhow::Error) -> Outcome {
    match error.downcast_ref() {
        Some(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        _ => Err(error),
    }
}

/// The first thing that is wrong with what was typed.
fn refuse(wrongs: &[(bool, &str)]) -> anyhow::Result<()> {
    wrongs.iter().find(|(is_so, _)| *is_so).map_or(Ok(()), |(_, text)| Err(usage(*text)))
}

/// By the option, else by the name; both may not differ.
fn packed(typed: Option<CompressArg>, named: Option<Compress>) -> anyhow::Result<Compress> {
    let typed = typed.map(|typed| match typed {
        CompressArg::Gzip => Compress::Gzip,
        CompressArg::Zstd => Compress::Zstd,
        CompressArg::None => Compress::None,
    });
    match (typed, named) {
        (Some(typed), Some(named)) if typed != named => {
            Err(usage(format!("--compress asks for a name that ends in {}", typed.extension())))
        }
        (typed, named) => Ok(typed.or(named).unwrap_or_default()),
    }
}
