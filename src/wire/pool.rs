//! Idle connections to origins, to be used again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::lock;
use super::stream::Connection;
use crate::web::url::Origin;

pub(super) struct Pool {
    idle: Mutex<HashMap<Origin, Vec<Connection>>>,
    /// The most that are kept in all.
    most: usize,
}

impl Pool {
    pub(super) fn new(most: usize) -> Pool {
        Pool { idle: Mutex::default(), most }
    }

    /// A connection that is still good: not idle for longer than `idle`, and nothing has arrived on it since.
    pub(super) fn take(&self, origin: &Origin, idle: Duration) -> Option<Connection> {
        let mut all = lock(&self.idle);
        let connections = all.get_mut(origin)?;
        let good = loop {
            let Some(mut one) = connections.pop() else { break None };
            if one.since.elapsed() < idle && one.is_quiet() {
                break Some(one);
            }
        };
        if connections.is_empty() {
            all.remove(origin);
        }
        good
    }

    /// Keeps a connection for the next exchange; the oldest goes when there are too many.
    pub(super) fn put(&self, origin: &Origin, connection: Connection) {
        let mut all = lock(&self.idle);
        all.entry(origin.clone()).or_default().push(connection);
        if all.values().map(Vec::len).sum::<usize>() <= self.most {
            return;
        }
        let since = |connections: &Vec<Connection>| connections.first().map(|one| one.since);
        let oldest = all.iter().min_by_key(|(_, connections)| since(connections)).map(|(origin, _)| origin.clone());
        if let Some(origin) = oldest {
            Pool::drop_first(&mut all, &origin);
        }
    }

    /// Drops an idle connection to the host, if there is one: another is about to be made. So a host never has more of
    /// them than it had exchanges at once, whatever schemes and ports those went to.
    pub(super) fn make_room(&self, host: &str) {
        let mut all = lock(&self.idle);
        let spare = all.iter().filter(|(origin, _)| &*origin.host == host);
        let spare = spare.min_by_key(|(_, connections)| connections.first().map(|one| one.since));
        if let Some(origin) = spare.map(|(origin, _)| origin.clone()) {
            Pool::drop_first(&mut all, &origin);
        }
    }

    /// Drops the oldest connection to an origin.
    fn drop_first(all: &mut HashMap<Origin, Vec<Connection>>, origin: &Origin) {
        if let Some(connections) = all.get_mut(origin) {
            connections.remove(0);
            if connections.is_empty() {
                all.remove(origin);
            }
        }
    }

    /// Drops them all.
    pub(super) fn clear(&self) {
        lock(&self.idle).clear();
    }
}
