//! What the markup calls the parts of a page: the names, classes and roles of the elements around a text.

use std::collections::HashMap;

use scraper::ElementRef;

use crate::extract::page::attr::attr;

/// Words longer than this are made by machines.
const LONGEST: usize = 20;

/// The block elements of a page, each with the one around it. The first one stands for the page.
///
/// A page says the same of many elements, so what is said is kept once, and whoever measures it measures it once: by
/// its number, in the order of [`Marks::kinds`].
#[derive(Debug)]
pub struct Marks {
    nodes: Vec<Node>,
    said: Vec<Said>,
    numbers: HashMap<Box<str>, u32>,
    /// What is said of the element at hand; its room is used again.
    line: String,
}

/// An element as it is kept.
#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    depth: u32,
    kind: u32,
}

/// What is said of elements: their name, and the words of their classes, id, role and property.
#[derive(Debug)]
struct Said {
    name: Box<str>,
    /// See [`Mark::words`].
    words: Vec<Box<str>>,
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub struct Mark<'a> {
    /// The number of the element around it; the first one is around itself.
    pub parent: usize,
    /// How deep it stands.
    pub depth: usize,
    /// The number of what is said of it; elements of which the same is said have the same.
    pub kind: usize,
    said: &'a Said,
}

impl Default for Marks {
    fn default() -> Marks {
        let mut marks =
            Marks { nodes: Vec::new(), said: Vec::new(), numbers: HashMap::new(), line: String::from("html") };
        let kind = marks.kind();
        marks.nodes.push(Node { parent: 0, depth: 0, kind });
        marks
    }
}

impl Marks {
    /// Notes an element that stands in `parent`; gives its number.
    pub fn enter(&mut self, parent: usize, element: ElementRef<'_>) -> usize {
        self.line.clear();
        self.line.push_str(element.value().name());
        for name in ["class", "id", "role", "itemprop"] {
            if let Some(value) = attr(element, name) {
                self.line.push(' ');
                self.line.push_str(value);
            }
        }
        let kind = self.kind();
        let depth = self.nodes[parent].depth + 1;
        // There are fewer than there are elements, and of those some 200,000 are read.
        self.nodes.push(Node { parent: parent as u32, depth, kind });
        self.nodes.len() - 1
    }

    /// The number of what the line says.
    fn kind(&mut self) -> u32 {
        if let Some(kind) = self.numbers.get(&*self.line) {
            return *kind;
        }
        let (name, marks) = self.line.split_once(' ').unwrap_or((&self.line, ""));
        let words = std::iter::once(format!("<{name}>")).chain(words(marks)).map(String::into_boxed_str).collect();
        let kind = self.said.len() as u32;
        self.said.push(Said { name: name.into(), words });
        self.numbers.insert(self.line.as_str().into(), kind);
        kind
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn get(&self, number: usize) -> Mark<'_> {
        let Node { parent, depth, kind } = self.nodes[number];
        let said = &self.said[kind as usize];
        Mark { parent: parent as usize, depth: depth as usize, kind: kind as usize, said }
    }

    /// The name of each kind of element, in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.said.iter().map(|said| &*said.name)
    }

    /// The words of each kind of element, in the order of their numbers.
    pub fn kinds(&self) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        self.said.iter().map(|said| said.words.iter().map(|word| &**word))
    }
}

impl<'a> Mark<'a> {
    /// The element's name.
    pub fn name(&self) -> &'a str {
        &self.said.name
    }

    /// The words of its marks in lower case: the name as `<name>`, then what classes and the like are made of, so that
    /// `relatedPosts-2` is `related` and `posts`.
    pub fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.said.words.iter().map(|word| &**word)
    }
}

/// Words as people divide them in names: at anything but a letter, and where capitals begin.
pub fn words(marks: &str) -> impl Iterator<Item = String> + '_ {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_small = false;
    let mut end = |word: &mut String| {
        let whole = std::mem::take(word);
        if (2..=LONGEST).contains(&whole.len()) {
            words.push(whole);
        }
    };
    for c in marks.chars() {
        if !c.is_ascii_alphabetic() {
            end(&mut word);
        } else {
            if c.is_ascii_uppercase() && was_small {
                end(&mut word);
            }
            word.push(c.to_ascii_lowercase());
        }
        was_small = c.is_ascii_lowercase();
    }
    end(&mut word);
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_made_of_words() {
        for (marks, want) in [
            ("relatedPosts-2", "related posts"),
            ("nav_main NAV", "nav main nav"),
            ("c-article__body u-mt10", "article body mt"),
            ("", ""),
            ("abcdefghijklmnopqrstuvwxyz a 12", ""),
        ] {
            assert_eq!(words(marks).collect::<Vec<_>>().join(" "), want, "{marks}");
        }
    }
}
