//! A web that is written down: every URL with its answer and how long it takes, on a hand-moved clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pressmark::fetch::{Error, Request, Transport};
use pressmark::web::exchange::{Answer, Exchange, Fault, Times};
use pressmark::web::time::{Clock, Moment};
use pressmark::web::url::Origin;

#[derive(Clone)]
pub struct ScriptedWeb {
    clock: Arc<dyn Clock>,
    pages: Arc<Script>,
    asked: Arc<Mutex<Vec<(Moment, String)>>>,
    /// Where all of it is.
    address: Option<IpAddr>,
}

/// What a URL is answered with.
type Script = dyn Fn(&str) -> Option<Page> + Send + Sync;

/// An answer as bytes, or what goes wrong instead.
#[derive(Clone)]
pub struct Page {
    pub answer: Result<Vec<u8>, Fault>,
    pub takes: Duration,
}

impl Page {
    pub fn html(body: &str) -> Page {
        Page::answer(&format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    pub fn text(media: &str, body: &str) -> Page {
        Page::answer(&format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    pub fn answer(bytes: &str) -> Page {
        Page { answer: Ok(bytes.as_bytes().to_vec()), takes: Duration::from_millis(50) }
    }

    pub fn fault(fault: Fault) -> Page {
        Page { answer: Err(fault), takes: Duration::from_millis(50) }
    }
}

impl ScriptedWeb {
    /// What is not in the script is answered with 404.
    pub fn new(clock: Arc<dyn Clock>, pages: impl IntoIterator<Item = (&'static str, Page)>) -> ScriptedWeb {
        let pages: HashMap<String, Page> = pages.into_iter().map(|(url, page)| (url.to_owned(), page)).collect();
        ScriptedWeb::made(clock, move |url| pages.get(url).cloned())
    }

    /// A web without end: every page is made when it is asked for.
    pub fn made(clock: Arc<dyn Clock>, pages: impl Fn(&str) -> Option<Page> + Send + Sync + 'static) -> ScriptedWeb {
        ScriptedWeb { clock, pages: Arc::new(pages), asked: Arc::default(), address: None }
    }

    /// All of it at this address.
    pub fn at(self, address: IpAddr) -> ScriptedWeb {
        ScriptedWeb { address: Some(address), ..self }
    }

    /// What was asked for, and when.
    pub fn asked(&self) -> Vec<(Moment, String)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Transport for ScriptedWeb {
    async fn exchange(&self, request: Request) -> Result<Exchange, Error> {
        let start = self.clock.now();
        let page = (self.pages)(request.url.as_str());
        let page = page.unwrap_or_else(|| Page::answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
        let mut exchange = Exchange::faulty(request.url.clone(), self.clock.wall(), Fault::NoAnswer);
        exchange.peer = self.address.map(|address| (address, 80).into());
        self.asked.lock().unwrap().push((start, request.url.as_str().to_owned()));
        if page.answer.is_ok() {
            request.permit.stamp().set(start);
            exchange.request =
                format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", request.url.path_and_query(), request.url.host())
                    .into_bytes();
        }
        self.clock.sleep_until(start.after(page.takes)).await;
        exchange.times =
            Times { sent: Some(Duration::ZERO), first: Some(page.takes), end: Some(page.takes), ..Times::default() };
        match page.answer {
            Ok(bytes) => {
                exchange.fault = None;
                exchange.answer = Some(Answer::of(&bytes));
            }
            Err(fault) => exchange.fault = Some(fault),
        }
        Ok(exchange)
    }

    async fn locate(&self, _: &Origin) -> Option<IpAddr> {
        self.address
    }

    fn cut(&self) {}
}
