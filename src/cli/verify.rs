//! `verify`: looks, tells, and exits with 65 when there is damage.

use std::path::{Path, PathBuf};

use super::args::Common;
use super::exit::{Exit, Outcome, failed, sentence, usage};
use super::upkeep::watch;
use crate::crawl::DATABASE;
use crate::upkeep::verify::{sort, verify_archive, verify_files};

/// Verifies the paths, or the archive when there are none. Whoever reads the JSON is told there that it could not be done.
pub(super) fn run(common: &Common, paths: &[PathBuf], json: bool) -> Outcome {
    let outcome = verify(common, paths, json);
    if let Some(error) = outcome.as_ref().err().filter(|_| json) {
        let told = serde_json::json!({ "verdict": "failed", "error": sentence(error) });
        super::print(format!("{told}\n").as_bytes())?;
    }
    outcome
}

fn verify(common: &Common, paths: &[PathBuf], json: bool) -> Outcome {
    let archive = match paths {
        [] => Some(common.archive.as_path()),
        [folder] if folder.join(DATABASE).is_file() => Some(folder.as_path()),
        _ => None,
    };
    let report = match archive {
        Some(archive) => watch(common.quiet, |watch| verify_archive(archive, watch))?,
        None => {
            let files = files(paths)?;
            watch(common.quiet, |watch| verify_files(&files, &common.archive, watch))?
        }
    };
    let exit = if report.is_whole() { Exit::Done } else { Exit::Damage };
    if json {
        super::print_json(report.json())?;
    } else if !common.quiet || exit != Exit::Done {
        super::print_text(&report.text())?;
    }
    Ok(exit)
}

/// The files named, and those in folders that can be verified. A file named that cannot be is an error.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            below(path, &mut files)?;
            if files.len() == before {
                return Err(usage(format!("there is no WARC, WACZ or CDXJ in {}", path.display())));
            }
        } else if can_be_verified(path)? {
            files.push(path.clone());
        } else {
            return Err(usage(format!("{} is no WARC, WACZ or CDXJ", path.display())));
        }
    }
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let list = |cause| failed(&format!("list {}", folder.display()), cause);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(list)? {
        paths.push(entry.map_err(list)?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            below(&path, files)?;
        } else if path.is_file() && can_be_verified(&path)? {
            files.push(path);
        }
    }
    Ok(())
}

fn can_be_verified(path: &Path) -> anyhow::Result<bool> {
    let sort = sort(path).map_err(|cause| usage(format!("cannot read {}: {cause}", path.display())))?;
    Ok(sort.is_some())
}
