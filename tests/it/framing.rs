//! Two opinions on where an answer ends: ours (`pressmark::web::framing`) and hyper's.
//!
//! Random answers from a grammar of what servers get wrong are cut into random pieces and given to both. Where hyper
//! takes an answer and its whole body, we must have found the same body and its end; where hyper says that a body is
//! not whole, we must not call it so. What hyper refuses is ours to keep: there only the bytes must add up.
//!
//! `PRESSMARK_FRAMING_CASES` raises the number of answers, `PRESSMARK_SEED` begins elsewhere. The default seed stands
//! still, so that a run differs from the one before by the code alone.

use std::fmt::Write as _;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pressmark::web::framing::Framing;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

#[test]
fn we_end_an_answer_where_hyper_does() {
    let (cases, seed) = (number("PRESSMARK_FRAMING_CASES", 20_000), number("PRESSMARK_SEED", 1));
    println!("{cases} answers from seed {seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut tally = [0_u64; 3];
    for case in seed..seed + cases {
        let case = Case::from_seed(case);
        let theirs = runtime.block_on(by_hyper(&case));
        let ours = by_us(&case.answer, &case.sizes, case.answers_head);
        tally[theirs.rank()] += 1;
        if let Some(difference) = difference(&theirs, &ours, &case) {
            panic!("{difference}\n{}\nhyper: {theirs:?}\nwe:    {ours:?}", case.describe());
        }
    }
    println!("hyper took {} whole, {} in part, refused {}", tally[0], tally[1], tally[2]);
    // A grammar that hyper mostly refuses would compare nothing.
    assert!(tally[0] * 4 > cases && tally.iter().all(|n| *n * 50 > cases), "too one-sided: {tally:?}");
}

fn difference(theirs: &Theirs, ours: &Ours, case: &Case) -> Option<String> {
    let whole = by_us(&case.answer, &[], case.answers_head);
    if whole != *ours {
        return Some(format!("the pieces make a difference; in one piece:\n{whole:?}"));
    }
    if ours.kept != case.answer[..ours.kept.len()] || (!ours.done && ours.kept.len() != case.answer.len()) {
        return Some("the bytes kept are not those received".to_owned());
    }
    match theirs {
        // hyper hands the connection over after a 101 and shows no body; we keep what follows.
        Theirs::Whole { status: 101, .. } | Theirs::Refused(_) => None,
        Theirs::Whole { .. } if !ours.done => Some("hyper takes it as whole, we wait for more".to_owned()),
        Theirs::Whole { body, .. } if *body != ours.payload => Some("the bodies differ".to_owned()),
        Theirs::Whole { .. } => None,
        Theirs::Part { error, .. } if is_cut(error) && ours.done && !ours.malformed && !has_bare_lf(&case.answer) => {
            Some("we take it as whole, hyper waits for more".to_owned())
        }
        Theirs::Part { body, .. } if !ours.payload.starts_with(body) => Some("the parts of the body differ".to_owned()),
        Theirs::Part { .. } => None,
    }
}

/// hyper missed bytes, rather than disliked those it got (a trailer's name, say).
fn is_cut(error: &str) -> bool {
    error.contains("UnexpectedEof") || error.contains("IncompleteMessage")
}

/// We end a chunk's line or a trailer at a bare LF, where hyper reads on.
fn has_bare_lf(answer: &[u8]) -> bool {
    answer.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r')
}

// ------------------------------------------------------------------------------------------------ the two readers

#[derive(PartialEq, Eq)]
struct Ours {
    done: bool,
    malformed: bool,
    payload: Vec<u8>,
    /// Head and body as received.
    kept: Vec<u8>,
}

impl std::fmt::Debug for Ours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ours { done, malformed, payload, kept } = self;
        write!(f, "done {done}, malformed {malformed}, {} bytes kept, payload {}", kept.len(), escaped(payload))
    }
}

/// Reads the answer in pieces of the sizes given, and the rest in one.
fn by_us(answer: &[u8], sizes: &[usize], answers_head: bool) -> Ours {
    let mut framing = Framing::new(answers_head);
    let (mut body, mut taken) = (Vec::new(), 0);
    for piece in pieces(answer, sizes) {
        let n = framing.feed(piece, &mut body);
        taken += n;
        if n < piece.len() {
            break;
        }
    }
    if taken == answer.len() {
        framing.close();
    }
    let (done, malformed) = (framing.is_done(), framing.is_malformed());
    let (mut kept, _, parts) = framing.into_head();
    let payload = parts.map_or_else(
        || body.clone(),
        |parts| {
            let places = parts.iter().map(|part| usize::try_from(part.at).unwrap()..).zip(&parts);
            places.flat_map(|(from, part)| body[from][..usize::try_from(part.len).unwrap()].to_vec()).collect()
        },
    );
    kept.extend_from_slice(&body);
    Ours { done, malformed, payload, kept }
}

fn pieces<'a>(bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    for size in sizes {
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

#[derive(PartialEq, Eq)]
enum Theirs {
    Whole { status: u16, body: Vec<u8> },
    Part { body: Vec<u8>, error: String },
    Refused(String),
}

impl Theirs {
    fn rank(&self) -> usize {
        match self {
            Theirs::Whole { .. } => 0,
            Theirs::Part { .. } => 1,
            Theirs::Refused(_) => 2,
        }
    }
}

impl std::fmt::Debug for Theirs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Theirs::Whole { status, body } => write!(f, "{status}, whole, body {}", escaped(body)),
            Theirs::Part { body, error } => write!(f, "in part ({error}), body {}", escaped(body)),
            Theirs::Refused(error) => write!(f, "refused ({error})"),
        }
    }
}

/// What a client sees whose settings are those of `fetch`.
async fn by_hyper(case: &Case) -> Theirs {
    let (near, far) = tokio::io::duplex(1 << 20);
    let mut builder = http1::Builder::new();
    builder
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .max_headers(4096);
    let (mut sender, connection) = builder.handshake::<_, Empty<Bytes>>(TokioIo::new(near)).await.unwrap();
    let method = if case.answers_head { "HEAD" } else { "GET" };
    let request = hyper::Request::builder().method(method).uri("/").header("host", "a").body(Empty::new()).unwrap();
    let client = async move {
        let mut answer = match sender.send_request(request).await {
            Ok(answer) => answer,
            Err(error) => return Theirs::Refused(format!("{error:?}")),
        };
        let (status, mut body) = (answer.status().as_u16(), Vec::new());
        while let Some(frame) = answer.body_mut().frame().await {
            match frame.map(|frame| frame.into_data().unwrap_or_default()) {
                Ok(data) => body.extend_from_slice(&data),
                Err(error) => return Theirs::Part { body, error: format!("{error:?}") },
            }
        }
        Theirs::Whole { status, body }
    };
    let (theirs, _, ()) = tokio::join!(client, connection, serve(far, case));
    theirs
}

async fn serve(mut stream: DuplexStream, case: &Case) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    for piece in pieces(&case.answer, &case.sizes) {
        if stream.write_all(piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

// ----------------------------------------------------------------------------------------------------- the grammar

struct Case {
    seed: u64,
    answers_head: bool,
    answer: Vec<u8>,
    sizes: Vec<usize>,
}

impl Case {
    fn from_seed(seed: u64) -> Case {
        let mut dice = Dice(seed);
        let answer = answer(&mut dice);
        let sizes = match dice.below(4) {
            0 => Vec::new(),
            1 => vec![1; answer.len()],
            _ => (0..dice.below(12)).map(|_| 1 + dice.below(40)).collect(),
        };
        Case { seed, answers_head: dice.one_in(20), answer, sizes }
    }

    fn describe(&self) -> String {
        let Case { seed, answers_head, answer, sizes } = self;
        format!("seed {seed}, answers HEAD: {answers_head}, pieces {sizes:?}\n{}", escaped(answer))
    }
}

fn answer(dice: &mut Dice) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(dice.rarely(15, &["\r\n", "\n", "\r\n\r\n", "\r", " "]).bytes());
    while dice.one_in(12) {
        out.extend(
            dice.pick(&["HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints", "HTTP/1.0 102", "HTTP/1.1 199 x"]).bytes(),
        );
        line_end(dice, &mut out);
        out.extend(
            dice.rarely(3, &["Link: </a>\r\n", "Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n"]).bytes(),
        );
        line_end(dice, &mut out);
    }
    status_line(dice, &mut out);
    let length = dice.below(20);
    let chunked = dice.one_in(2);
    for _ in 0..dice.below(3) {
        odd_field(dice, &mut out);
    }
    if chunked {
        framing_field(dice, &mut out, "Transfer-Encoding", &CHUNKED);
    }
    if !chunked || dice.one_in(12) {
        let n = length.to_string();
        let mut values = vec![n.clone(); 20];
        values.extend([
            format!("{n}, {n}"),
            format!("{n},{}", length + 1),
            format!("+{n}"),
            format!("-{n}"),
            format!("0{n}"),
        ]);
        values.extend([format!("{n} {n}"), format!("{n};"), format!("0x{n}"), format!("{n},"), String::new()]);
        values.extend(["99999999999999999999".to_owned(), "18446744073709551615".to_owned(), format!("\x0b{n}")]);
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        if !dice.one_in(8) {
            framing_field(dice, &mut out, "Content-Length", &values);
        }
        if dice.one_in(15) {
            framing_field(dice, &mut out, "Content-Length", &values);
        }
    }
    for _ in 0..dice.below(3) {
        odd_field(dice, &mut out);
    }
    line_end(dice, &mut out);
    if chunked && !dice.one_in(30) {
        chunks(dice, &mut out);
    } else {
        let random = |dice: &mut Dice| u8::try_from(dice.below(256)).unwrap();
        out.extend((0..length).map(|_| random(dice)));
    }
    spoil(dice, &mut out);
    out
}

/// A cut, an excess, a byte gone wrong.
fn spoil(dice: &mut Dice, out: &mut Vec<u8>) {
    if dice.one_in(12) {
        out.truncate(dice.below(out.len() + 1));
    }
    if dice.one_in(12) {
        out.extend(dice.pick(&["x", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "0\r\n\r\n"]).bytes());
    }
    if dice.one_in(8) && !out.is_empty() {
        let at = dice.below(out.len());
        let odd = [0, 9, 10, 11, 12, 13, 32, 44, 48, 57, 58, 59, 127, 128, 160, 255];
        match dice.below(3) {
            0 => out[at] = odd[dice.below(odd.len())],
            1 => out.insert(at, odd[dice.below(odd.len())]),
            _ => drop(out.remove(at)),
        }
    }
}

fn status_line(dice: &mut Dice, out: &mut Vec<u8>) {
    let version = dice.usually(
        12,
        "HTTP/1.1",
        &["HTTP/1.0", "HTTP/1.0", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1", "ICY", "HTTP/1.2"],
    );
    let codes =
        ["204", "304", "404", "206", "101", "500", "600", "999", "20", "0200", "099", "2000", "2x0", "100", "205"];
    let status = dice.usually(6, "200", &codes);
    let reason = dice.usually(3, " OK", &["", " ", "  Fine By Me ", " \t", " Gr\u{fc}n", " \u{1}", " a:b", "\t"]);
    out.extend([version, dice.usually(60, " ", &["  ", "\t", ""]), status].concat().bytes());
    // Latin-1, as servers send it.
    out.extend(reason.chars().map(|c| u8::try_from(u32::from(c)).unwrap()));
    line_end(dice, out);
}

fn line_end(dice: &mut Dice, out: &mut Vec<u8>) {
    out.extend(
        dice.usually(14, "\r\n", &["\n", "\n", "\n", "\n", "\n", "\n", "\n", "\r\r\n", "\r", " \r\n", ""]).bytes(),
    );
}

fn framing_field(dice: &mut Dice, out: &mut Vec<u8>, name: &str, values: &[&str]) {
    let name = match dice.below(10) {
        0 => name.to_ascii_lowercase(),
        1 => name.to_ascii_uppercase(),
        _ => name.to_owned(),
    };
    out.extend(name.bytes());
    out.extend(dice.usually(25, ":", &[" :", "\t:", " \t :", "::", "", "\u{b}:", "\0:"]).bytes());
    out.extend(dice.usually(3, " ", &["", "  ", "\t", "\r\n ", "\n\t", "\r\n \r\n "]).bytes());
    out.extend(dice.pick(values).bytes());
    out.extend(dice.usually(6, "", &[" ", "\t ", "\r\n ", "\u{b}", "\r\n\t,"]).bytes());
    line_end(dice, out);
}

const CHUNKED: [&str; 27] = [
    "chunked",
    "chunked",
    "chunked",
    "chunked",
    "chunked",
    "chunked",
    "chunked",
    "chunked",
    "chunked",
    "chunked",
    "Chunked",
    "CHUNKED",
    "gzip, chunked",
    "gzip,chunked",
    "chunked, gzip",
    "identity",
    "xchunked",
    "chunkedx",
    "chunked;q=1",
    "chunked,",
    ",chunked",
    "",
    "chunked chunked",
    "chunked, chunked",
    "chunk\u{7f}ed",
    "gzip",
    "chunked\0",
];

const ODD_FIELDS: [&str; 26] = [
    "Connection: close",
    "Connection: keep-alive",
    "Connection: Keep-Alive, close",
    "connection:upgrade",
    "Upgrade: h2c",
    "Content-Type: text/html",
    "X: \u{e9}",
    "X:",
    "X : y",
    "X Y: z",
    ": nothing",
    "no colon",
    " folded",
    "\tfolded",
    "X: a\r\n b\r\n\tc",
    "X: \u{1}",
    "X: a\0b",
    "X\u{1}: y",
    "\u{e9}: y",
    "X: a\rb",
    "Trailer: T",
    "X: \u{7f}",
    "\"quoted\": y",
    "X(comment): y",
    "Content_Length: 3",
    "Content-Length : 3",
];

fn odd_field(dice: &mut Dice, out: &mut Vec<u8>) {
    out.extend(dice.pick(&ODD_FIELDS).chars().map(|c| u8::try_from(u32::from(c)).unwrap()));
    line_end(dice, out);
}

fn chunks(dice: &mut Dice, out: &mut Vec<u8>) {
    for _ in 0..dice.below(4) {
        let size = 1 + dice.below(30);
        let said = match dice.below(40) {
            0 => format!("{size:X}"),
            1 => format!("00{size:x}"),
            2 => format!("{:x}", size + 1),
            3 => format!(" {size:x}"),
            4 => format!("0x{size:x}"),
            5 => format!("+{size:x}"),
            6 if dice.one_in(4) => "fffffffffffffffff".to_owned(),
            7 if dice.one_in(4) => format!("{size:0>20x}"),
            8 if dice.one_in(4) => String::new(),
            _ => format!("{size:x}"),
        };
        out.extend(said.bytes());
        out.extend(
            dice.usually(
                4,
                "",
                &[";a", ";a=b", "; a=\"b;c\"", " ", "\t", " ;x", "x", " x", ";a\u{1}", ",", ";\r", ";\r;"],
            )
            .bytes(),
        );
        out.extend(dice.usually(10, "\r\n", &["\n", "\r", "\r\r\n", ""]).bytes());
        out.extend((0..size).map(|_| b"abcd0\r\n"[dice.below(7)]));
        out.extend(dice.usually(15, "\r\n", &["\n", "", "\r", "x\r\n", "\r\r\n", " \r\n"]).bytes());
    }
    out.extend(dice.usually(8, "0", &["00", "0;x", "0 ", "", "000000000000000000000"]).bytes());
    out.extend(dice.usually(10, "\r\n", &["\n", "\r"]).bytes());
    let trailers = [
        "T: x\r\n",
        "T: x\n",
        "T: x\r\nU: y\r\n",
        " T\r\n",
        "nonsense\r\n",
        "T: x\r\n folded\r\n",
        "\u{1}: y\r\n",
        "\r",
    ];
    out.extend(dice.usually(4, "", &trailers).bytes());
    out.extend(dice.usually(8, "\r\n", &["\n", "", "\r", "\r\r\n"]).bytes());
}

/// Chance that can be repeated (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// `usual`, and once in `n` one of the others.
    fn usually<'a>(&mut self, n: usize, usual: &'a str, others: &[&'a str]) -> &'a str {
        if self.one_in(n) { self.pick(others) } else { usual }
    }

    fn rarely<'a>(&mut self, n: usize, choices: &[&'a str]) -> &'a str {
        self.usually(n, "", choices)
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect(variable))
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{}", byte.escape_ascii());
        out
    })
}
