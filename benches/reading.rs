//! Reading WARC files and verifying them, beside the `fastwarc` crate, and FastWARC and warcio in Python.

use std::io::{self, BufRead};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use fastwarc::warc::iter::ArchiveIterator;
use pressmark::archive::{Compress, Reading, Step};
use pressmark::upkeep::Watch;
use pressmark::upkeep::verify::verify_files;

use super::{Failure, ROUNDS, exchanges, fill};

/// The clock of processor time goes in hundredths of seconds: a round is repeated until it has taken so long.
const ROUND: Duration = Duration::from_secs(1);

/// What a measurement took: by the clock, and of the processors, children included.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    cpu: f64,
}

const PYTHON_READ: &str = "
import sys
from fastwarc.warc import ArchiveIterator
for record in ArchiveIterator(open(sys.argv[1], 'rb'), parse_http=False):
    while record.reader.read(65536): pass
";
const WARCIO_READ: &str = "
import sys
from warcio.archiveiterator import ArchiveIterator
for record in ArchiveIterator(open(sys.argv[1], 'rb'), no_record_parse=True):
    while record.raw_stream.read(65536): pass
";

/// Prints the tables.
pub fn reading(folder: &Path) -> Result<(), Failure> {
    let exchanges = exchanges()?;
    for (name, compress) in [("gzip members", Compress::Gzip), ("plain", Compress::None)] {
        let shelf = tempfile::tempdir_in(folder)?;
        fill(shelf.path(), &exchanges, compress)?;
        let mut files: Vec<_> =
            std::fs::read_dir(shelf.path())?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        files.retain(|path| path.to_string_lossy().contains(".warc"));
        let file = files.pop().ok_or("no file was written")?;
        let (records, unpacked) = ours(&file)?;
        println!(
            "reading: {records} records, {:.0} MB ({:.0} MB as they are), {name}",
            std::fs::metadata(&file)?.len() as f64 / 1e6,
            unpacked as f64 / 1e6,
        );
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin");
        let script = |code: &str| child(Command::new(python.join("python")).arg("-c").arg(code).arg(&file));
        let check =
            |tool: &str, args: &[&str]| child(Command::new(python.join(tool)).arg("check").args(args).arg(&file));
        let read = [
            ("iterate, every block read", middle(|| ours(&file).map(drop))),
            ("baseline: fastwarc crate", middle(|| theirs(&file))),
            ("baseline: FastWARC in Python", middle(|| script(PYTHON_READ))),
            ("baseline: warcio in Python", middle(|| script(WARCIO_READ))),
        ];
        print(&read, records, unpacked);
        let verified = [
            ("verify, digests, rules, second opinion", middle(|| verified(&file))),
            ("baseline: fastwarc check -p (Python)", middle(|| check("fastwarc", &["-q", "-p", "-o", "/dev/null"]))),
            ("baseline: warcio check (Python)", middle(|| check("warcio", &[]))),
        ];
        print(&verified, records, unpacked);
    }
    println!("ratio: processor seconds, the first line of each table being 1. verify reads on all cores: s, CPU s.\n");
    Ok(())
}

fn print(rows: &[(&str, Result<Cost, Failure>)], records: u64, bytes: u64) {
    println!("{:<44} {:>8} {:>8} {:>8} {:>10} {:>9} {:>7}", "", "s", "CPU s", "MB/s", "records/s", "MB/CPU s", "ratio");
    let first = rows.first().and_then(|(_, cost)| cost.as_ref().ok()).map_or(1.0, |cost| cost.cpu);
    for (what, cost) in rows {
        match cost {
            Ok(Cost { seconds, cpu }) => println!(
                "{what:<44} {seconds:>8.3} {cpu:>8.3} {:>8.0} {:>10.0} {:>9.0} {:>7.2}",
                bytes as f64 / 1e6 / seconds,
                records as f64 / seconds,
                bytes as f64 / 1e6 / cpu,
                cpu / first,
            ),
            Err(cause) => println!("{what:<44} not measured: {cause}"),
        }
    }
}

fn middle(mut measure: impl FnMut() -> Result<(), Failure>) -> Result<Cost, Failure> {
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        let (began, cpu, mut times) = (Instant::now(), cpu_seconds()?, 0.0);
        while began.elapsed() < ROUND {
            measure()?;
            times += 1.0;
        }
        let (seconds, cpu) = (began.elapsed().as_secs_f64() / times, (cpu_seconds()? - cpu) / times);
        costs.push(Cost { seconds, cpu });
    }
    costs.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    Ok(costs[ROUNDS / 2])
}

/// Of this process and the children it has waited for: fields 14 to 17 of `/proc/self/stat`, hundredths of seconds.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(4);
    Ok(fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0)
}

/// The records, and the bytes of their blocks.
fn ours(file: &Path) -> Result<(u64, u64), Failure> {
    let mut reading = Reading::open(file)?;
    let (mut records, mut bytes) = (0, 0);
    while let Some(step) = reading.advance()? {
        let Step::Record(_) = step else { return Err("a flaw".into()) };
        records += 1;
        loop {
            let len = reading.fill_buf()?.len();
            if len == 0 {
                break;
            }
            bytes += len as u64;
            reading.consume(len);
        }
        reading.end()?;
    }
    Ok((records, bytes))
}

fn theirs(file: &Path) -> Result<(), Failure> {
    for record in ArchiveIterator::from_path(file)?.with_parse_http(false) {
        let record = record?;
        let mut record = record.borrow_mut();
        if let Some(reader) = record.reader_mut() {
            io::copy(reader, &mut io::sink())?;
        }
    }
    Ok(())
}

fn verified(file: &Path) -> Result<(), Failure> {
    let stop = AtomicBool::new(false);
    let report = verify_files(&[file.to_owned()], Path::new(""), Watch::new(&|_| {}, &stop))?;
    if report.is_whole() { Ok(()) } else { Err(report.text().into()) }
}

fn child(command: &mut Command) -> Result<(), Failure> {
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
}
