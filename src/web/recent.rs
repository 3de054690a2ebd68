//! What was met lately, in bounded memory: a crawl meets millions of things, and most of them once.
//!
//! Two generations: what is met goes into the young one; when that is full it becomes the old one, and what was in the
//! old one is forgotten. What is asked for stays: it moves back into the young one.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A map that forgets what was not asked for lately.
#[derive(Debug)]
pub struct Recent<K, V> {
    most: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// Keeps at least the last so many, and at most twice as many.
    pub fn new(most: usize) -> Recent<K, V> {
        Recent { most: most.max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// What is known under this key, which counts as met now.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    /// What is known under this key, or else the default put there.
    pub fn get_or_default(&mut self, key: &K) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        if self.get(key).is_none() {
            self.insert(key.clone(), V::default());
        }
        self.young.get_mut(key).expect("it is young now")
    }

    /// Forgets what is known under this key.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Puts a value under a key, in place of an earlier one.
    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.most && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_known_and_what_nobody_asks_for_is_forgotten() {
        let mut recent = Recent::new(3);
        for n in 0..7 {
            recent.insert(n, n);
        }
        let known: Vec<i32> = (0..7).filter(|n| recent.young.contains_key(n) || recent.old.contains_key(n)).collect();
        assert_eq!(known, [3, 4, 5, 6]);
    }

    #[test]
    fn what_is_asked_for_stays_and_memory_is_bounded() {
        let mut recent: Recent<String, u32> = Recent::new(10);
        recent.insert("hot".to_owned(), 0);
        for n in 0..1_000_u32 {
            *recent.get("hot").expect("it was asked for a moment ago") += 1;
            recent.insert(n.to_string(), n);
            assert!(recent.young.len() <= 10 && recent.old.len() <= 10);
        }
        assert_eq!(recent.get("hot"), Some(&mut 1_000));
        assert_eq!(recent.get("0"), None);
    }

    #[test]
    fn a_value_put_anew_takes_the_place_of_the_old_one() {
        let mut recent = Recent::new(2);
        recent.insert('a', 1);
        recent.insert('b', 1);
        recent.insert('c', 1);
        recent.insert('a', 2);
        assert_eq!(recent.get(&'a'), Some(&mut 2));
        recent.insert('d', 1);
        assert_eq!(recent.get_or_default(&'a'), &mut 2);
        assert_eq!(recent.get_or_default(&'e'), &mut 0);
        ['a', 'e'].iter().for_each(|key| recent.remove(key));
        let known = ['a', 'd', 'e'].map(|key| recent.get(&key).copied());
        assert_eq!(known, [None, Some(1), None]);
    }
}
