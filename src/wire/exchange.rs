//! One exchange through the door: from a client's request with its pass to the recording.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout};

use super::spool::Spool;
use super::stream::Stream;
use super::{Error, Inner, PASS_FIELD, Slot, lock};
use crate::web::exchange::{Answer, Exchange, Fault};
use crate::web::framing::Framing;
use crate::web::url::Origin;

/// A request head longer than this is none of ours.
const REQUEST_MAX: usize = 1 << 20;
/// How much is read from the origin at a time.
const PIECE: usize = 64 << 10;

impl Inner {
    /// Serves one client: one request, one answer, and the connection is closed.
    pub(super) async fn serve(&self, mut client: UnixStream) {
        let Some(request) = read_request(&mut client).await else { return };
        // Taken out of the table: a pass is good once, whatever the client does.
        let Some(mut slot) = request.pass.and_then(|id| lock(&self.waiting).remove(&id)) else {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut tape = Tape::new(&request, self.options.spool_from);
        let mut exchange = Exchange::faulty(slot.url.clone(), slot.at, Fault::Abandoned);
        let fault = {
            let origin = slot.url.origin();
            let carried = self.carry(&mut client, &request, &origin, &slot.stamp, &mut tape, &mut exchange);
            tokio::select! {
                biased;
                // Only ever dropped, never sent: the pass is gone.
                _ = &mut slot.given_up => Some(Fault::Abandoned),
                fault = carried => fault,
            }
        };
        exchange.times.end = Some(tape.start.elapsed());
        exchange.fault = fault;
        let recorded = match tape.torn.take() {
            None => {
                exchange.answer = tape.into_answer();
                Ok(exchange)
            }
            Some(source) => Err(Error::Spool { folder: self.options.spool_dir.clone(), source }),
        };
        // Closed before the recording is out, or the client might take the connection for a live one.
        drop(client);
        let Slot { done, .. } = slot;
        // Nobody may be waiting any more; then nobody wants it.
        let _ = done.send(recorded);
    }

    /// Does the exchange, writing down everything as it happens; returns what went wrong.
    async fn carry(
        &self,
        client: &mut UnixStream,
        request: &Request,
        origin: &Origin,
        stamp: &crate::web::time::Stamp,
        tape: &mut Tape,
        exchange: &mut Exchange,
    ) -> Option<Fault> {
        let mut connection = match self.pool.take(origin, self.options.idle) {
            Some(connection) => {
                exchange.reused = true;
                connection
            }
            None => match self.connect(origin, exchange, tape.start).await {
                Ok(connection) => connection,
                Err(fault) => return Some(fault),
            },
        };
        exchange.peer = connection.peer;
        exchange.tls = connection.tls.clone();
        let sent = send(&mut connection.stream, &request.head, self.options.timeout).await;
        exchange.request.clone_from(&request.head);
        stamp.set(self.clock.now());
        exchange.times.sent = Some(tape.start.elapsed());
        let received = match &sent {
            Err(Fault::Stall) => Some(Fault::Stall),
            // A server may answer and close before it has read everything: look for its answer all the same.
            _ => self.receive(client, &mut connection.stream, tape, exchange).await,
        };
        // After half a request the server would take the next one for its other half.
        let reusable = sent.is_ok() && tape.framing.is_reusable() && tape.excess == 0;
        let fault = match (received, sent) {
            (Some(Fault::NoAnswer), _) if exchange.reused => Some(Fault::Stale),
            (Some(Fault::NoAnswer | Fault::Cut), Err(fault)) => Some(fault),
            (received, _) => received,
        };
        if fault.is_none() && reusable {
            connection.since = Instant::now();
            self.pool.put(origin, connection);
        }
        fault
    }

    /// Reads the answer to its own end and hands it on as it comes.
    async fn receive(
        &self,
        client: &mut UnixStream,
        origin: &mut Stream,
        tape: &mut Tape,
        exchange: &mut Exchange,
    ) -> Option<Fault> {
        let mut piece = Vec::with_capacity(PIECE);
        let mut client_gone = false;
        loop {
            piece.clear();
            match timeout(self.options.timeout, origin.read_buf(&mut piece)).await {
                Err(_) => return Some(Fault::Stall),
                Ok(Ok(0)) => return tape.closed(),
                Ok(Ok(_)) => {}
                Ok(Err(cause)) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                    tape.unclean_close = true;
                    return tape.closed();
                }
                Ok(Err(_)) => return tape.reset(),
            }
            exchange.times.first.get_or_insert_with(|| tape.start.elapsed());
            let taken = match tape.record(&piece, self.options.max_body, &self.options.spool_dir) {
                Ok(taken) => taken,
                Err(cause) => {
                    tape.torn = Some(cause);
                    return Some(Fault::Abandoned);
                }
            };
            if !client_gone {
                // A client that has had enough is no reason to stop: answers that it refuses are kept as well.
                client_gone = client.write_all(&piece[..taken]).await.is_err();
            }
            // First of all: the piece that goes over the cap may also be the last, and it is not all there.
            if tape.capped {
                return Some(Fault::Cap);
            }
            if tape.framing.is_done() {
                return None;
            }
        }
    }
}

async fn send(stream: &mut Stream, head: &[u8], limit: Duration) -> Result<(), Fault> {
    let write = async {
        stream.write_all(head).await?;
        stream.flush().await
    };
    match timeout(limit, write).await {
        Err(_) => Err(Fault::Stall),
        Ok(Err(cause)) => Err(Fault::Request(cause.kind().to_string())),
        Ok(Ok(())) => Ok(()),
    }
}

/// What has been recorded so far.
struct Tape {
    start: Instant,
    framing: Framing,
    body: Spool,
    any: bool,
    excess: u64,
    capped: bool,
    unclean_close: bool,
    /// Why it cannot be written on: our own failure, not the origin's.
    torn: Option<io::Error>,
}

impl Tape {
    fn new(request: &Request, spool_from: u64) -> Tape {
        Tape {
            start: Instant::now(),
            framing: Framing::new(request.is_head),
            body: Spool::new(spool_from),
            any: false,
            excess: 0,
            capped: false,
            unclean_close: false,
            torn: None,
        }
    }

    /// Writes a piece down; says how much of it the client may see.
    fn record(&mut self, piece: &[u8], cap: u64, folder: &std::path::Path) -> io::Result<usize> {
        self.any = true;
        let taken = self.framing.feed(piece, &mut self.body.buffer);
        self.excess += (piece.len() - taken) as u64;
        if self.body.len() > cap {
            self.capped = true;
            self.body.cut(cap);
        }
        self.body.settle(folder)?;
        Ok(taken)
    }

    /// The origin has closed the connection in good order.
    fn closed(&mut self) -> Option<Fault> {
        self.framing.close();
        match (self.framing.is_done(), self.any) {
            (true, _) => None,
            (false, true) => Some(Fault::Cut),
            (false, false) => Some(Fault::NoAnswer),
        }
    }

    /// The connection broke: not even an answer framed by the close is complete.
    fn reset(&mut self) -> Option<Fault> {
        Some(if self.any { Fault::Cut } else { Fault::NoAnswer })
    }

    fn into_answer(self) -> Option<Answer> {
        if !self.any {
            return None;
        }
        let (complete, malformed) = (self.framing.is_done() && !self.capped, self.framing.is_malformed());
        let (head, final_at, parts) = self.framing.into_head();
        let body = self.body.into_body();
        let clip = |mut part: crate::web::framing::Part| {
            part.len = part.len.min(body.len().saturating_sub(part.at));
            part
        };
        let parts = parts.filter(|_| !malformed);
        let parts = parts.map(|parts| parts.into_iter().map(clip).filter(|part| part.len > 0).collect());
        Some(Answer {
            head,
            final_at,
            parts,
            body,
            complete,
            malformed,
            excess: self.excess,
            unclean_close: self.unclean_close,
        })
    }
}

/// A client's request as it goes out: the private field removed, `Host` moved to the front.
struct Request {
    pass: Option<u64>,
    head: Vec<u8>,
    is_head: bool,
}

async fn read_request(client: &mut UnixStream) -> Option<Request> {
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        let read = client.read_buf(&mut head).await.ok()?;
        if read == 0 || head.len() > REQUEST_MAX {
            return None;
        }
    }
    Some(Request::read(&head))
}

impl Request {
    fn read(head: &[u8]) -> Request {
        let mut request =
            Request { pass: None, head: Vec::with_capacity(head.len()), is_head: head.starts_with(b"HEAD ") };
        let mut host_at = 0;
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(0));
            if name.eq_ignore_ascii_case(PASS_FIELD.as_bytes()) {
                request.pass = std::str::from_utf8(&value[1..]).ok().and_then(|value| value.trim().parse().ok());
            } else if name.eq_ignore_ascii_case(b"host") {
                request.head.splice(host_at..host_at, line.iter().copied());
            } else {
                request.head.extend_from_slice(line);
                if host_at == 0 {
                    host_at = request.head.len();
                }
            }
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_private_field_stays_inside_and_host_comes_first() {
        let request = Request::read(b"GET / HTTP/1.1\r\nAccept: */*\r\nX-Pressmark-Pass: 7\r\nHost: h.example\r\n\r\n");
        assert_eq!(request.pass, Some(7));
        assert_eq!(request.head, b"GET / HTTP/1.1\r\nHost: h.example\r\nAccept: */*\r\n\r\n");
    }
}
