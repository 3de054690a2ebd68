//! A name server under the test's control: it says what the test wants of each name, and remembers what it was asked.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

/// A server; it ends with the value.
pub struct NameServer {
    /// Where it listens, by UDP and TCP.
    pub address: SocketAddr,
    asked: Asked,
    _tasks: JoinSet<()>,
}

type Asked = Arc<Mutex<Vec<Question>>>;

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Question {
    pub at: Instant,
    pub name: String,
    pub family: Family,
    pub by_tcp: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
    Other,
}

/// What it says.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Those of the addresses that belong to the family asked for, good for so many seconds.
    Addresses(u32, Vec<IpAddr>),
    /// The same, at the end of a chain of other names.
    Alias(Vec<&'static str>, IpAddr),
    /// The same, which goes into TCP only.
    ByTcp(Vec<IpAddr>),
    /// A code of failure (RFC 1035, 4.1.1), and a record that says how long it is good.
    Code(u8),
    /// The same reply, later.
    Late(Duration, Box<Reply>),
    /// Addresses of IPv4, and not a word about IPv6.
    MuteOnV6(IpAddr),
    /// The right id, and then nothing that makes sense.
    Garbage,
    Silence,
}

pub const SERVER_FAILURE: u8 = 2;
pub const NO_SUCH_NAME: u8 = 3;
pub const REFUSED: u8 = 5;

/// A reply with addresses that are good for a minute.
pub fn addresses(texts: &str) -> Reply {
    Reply::Addresses(60, texts.split_whitespace().map(|text| text.parse().unwrap()).collect())
}

impl NameServer {
    /// Answers as `zone` says for a name, and how often that name has been asked for before in the same family.
    pub async fn start(zone: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> NameServer {
        let (udp, tcp) = bind().await;
        let address = udp.local_addr().unwrap();
        let (zone, asked, udp) = (Arc::new(zone), Asked::default(), Arc::new(udp));
        let mut tasks = JoinSet::new();
        let heard = (zone.clone(), asked.clone());
        tasks.spawn(async move {
            let mut query = [0; 512];
            while let Ok((len, from)) = udp.recv_from(&mut query).await {
                let (zone, asked) = heard.clone();
                let (udp, query) = (udp.clone(), query[..len].to_vec());
                tokio::spawn(async move {
                    if let Some(answer) = answer(&query, &asked, &*zone, false).await {
                        // A client that is gone does not mind.
                        let _ = udp.send_to(&answer, from).await;
                    }
                });
            }
        });
        let heard = (zone, asked.clone());
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let (zone, asked) = heard.clone();
                tokio::spawn(async move {
                    while let Ok(len) = stream.read_u16().await {
                        let mut query = vec![0; usize::from(len)];
                        if stream.read_exact(&mut query).await.is_err() {
                            return;
                        }
                        let Some(answer) = answer(&query, &asked, &*zone, true).await else { return };
                        let counted = [&u16::try_from(answer.len()).unwrap().to_be_bytes(), answer.as_slice()].concat();
                        if stream.write_all(&counted).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        NameServer { address, asked, _tasks: tasks }
    }

    /// What it was asked about a name, in one family.
    pub fn asked(&self, name: &str, family: Family) -> Vec<Question> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|one| one.name == name && one.family == family).cloned().collect()
    }
}

/// One port for both.
async fn bind() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

async fn answer(
    query: &[u8],
    asked: &Mutex<Vec<Question>>,
    zone: &(dyn Fn(&str, usize) -> Reply + Send + Sync),
    by_tcp: bool,
) -> Option<Vec<u8>> {
    // RFC 1035, 4.1: twelve bytes of head, then the question: labels, a zero, two bytes each of type and class.
    let (mut labels, mut at) = (Vec::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    let name = labels.join(".");
    let question = &query[12..at + 5];
    let family = match question[question.len() - 4..][..2] {
        [0, 1] => Family::V4,
        [0, 28] => Family::V6,
        _ => Family::Other,
    };
    let before = {
        let mut asked = asked.lock().unwrap();
        let before = asked.iter().filter(|one| one.name == name && one.family == family && one.by_tcp == by_tcp);
        let before = before.count();
        asked.push(Question { at: Instant::now(), name: name.clone(), family, by_tcp });
        before
    };
    let mut reply = zone(&name, before);
    if let Reply::Late(by, later) = reply {
        tokio::time::sleep(by).await;
        reply = *later;
    }
    let id = [query[0], query[1]];
    match reply {
        Reply::Silence | Reply::Late(..) => None,
        Reply::MuteOnV6(_) if family != Family::V4 => None,
        Reply::Garbage => Some([id.as_slice(), &[0x81, 0x80, 0, 1, 0, 9, 0xff, 0xff, 0xff], &[0xc0; 20]].concat()),
        Reply::Code(code) => {
            // Name, type SOA, class, a minute, length; two roots for names, five numbers, the last of them a minute.
            let soa = [&[0, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0], [0; 16].as_slice(), &[0, 0, 0, 60]].concat();
            Some([&head(id, code, false, 0, 1), question, &soa].concat())
        }
        Reply::ByTcp(_) if !by_tcp => Some([&head(id, 0, true, 0, 0), question].concat()),
        Reply::Addresses(ttl, all) => Some(records(id, question, family, ttl, &[], &all)),
        Reply::ByTcp(all) => Some(records(id, question, family, 60, &[], &all)),
        Reply::MuteOnV6(one) => Some(records(id, question, family, 60, &[], &[one])),
        Reply::Alias(names, one) => Some(records(id, question, family, 60, &names, &[one])),
    }
}

fn head(id: [u8; 2], code: u8, truncated: bool, answers: u16, authorities: u8) -> Vec<u8> {
    let flags = [0x81 | (u8::from(truncated) << 1), 0x80 | code];
    [&id, flags.as_slice(), &[0, 1], &answers.to_be_bytes(), &[0, authorities, 0, 0]].concat()
}

fn records(id: [u8; 2], question: &[u8], family: Family, ttl: u32, chain: &[&str], all: &[IpAddr]) -> Vec<u8> {
    let mut owner = question[..question.len() - 4].to_vec();
    let (mut count, mut bytes) = (0, Vec::new());
    let mut record = |owner: &[u8], kind: u8, data: &[u8]| {
        bytes.extend_from_slice(owner);
        bytes.extend_from_slice(&[0, kind, 0, 1]);
        bytes.extend_from_slice(&ttl.to_be_bytes());
        bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(data);
        count += 1;
    };
    for name in chain {
        let labels =
            name.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
        let target: Vec<u8> = labels.chain([0]).collect();
        record(&owner, 5, &target);
        owner = target;
    }
    for one in all {
        match (one, family) {
            (IpAddr::V4(v4), Family::V4) => record(&owner, 1, &v4.octets()),
            (IpAddr::V6(v6), Family::V6) => record(&owner, 28, &v6.octets()),
            _ => {}
        }
    }
    [&head(id, 0, false, count, 0), question, &bytes].concat()
}
