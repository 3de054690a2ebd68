//! The demo site, served in this process and crawled by the built binary.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use pressmark::demo::site::Site;
use tokio::runtime::Runtime;

/// The site on a runtime of its own.
pub struct Lantern {
    pub site: Site,
    _runtime: Runtime,
}

impl Lantern {
    pub fn new() -> Lantern {
        let runtime = Runtime::new().unwrap();
        let site = runtime.block_on(Site::serve(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
        Lantern { site, _runtime: runtime }
    }

    /// `pressmark crawl` of the whole site into this archive.
    pub fn crawl(&self, archive: &Path) -> Command {
        let mut command = pressmark();
        command.arg("crawl").arg("--archive").arg(archive).arg("--contact").arg("test@lantern.example");
        for host in self.site.hosts() {
            command.arg("--resolve").arg(format!("{host}:80:{}", self.site.address()));
        }
        command.arg("--resolve").arg(format!("{}:80:{}", self.site.dead_host(), nobody()));
        command.args(self.site.seeds());
        command
    }
}

/// The built binary, in an environment and a folder without settings.
pub fn pressmark() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pressmark"));
    command.env_clear().current_dir(std::env::temp_dir());
    command
}

/// An address on loopback where nobody listens.
pub fn nobody() -> SocketAddr {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}

/// Runs it to its end; its output is shown when the test fails.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    println!("{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Starts it with its output thrown away.
pub fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The WARC files of an archive, in order.
pub fn warcs(archive: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(archive.join("warc")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Rows of a question to an archive's database, as JSON texts.
pub fn rows(archive: &Path, sql: &str) -> Vec<Vec<serde_json::Value>> {
    let reader = pressmark::store::Reader::open(&archive.join("pressmark.sqlite3")).unwrap();
    reader.sql(sql).unwrap().rows
}
