//! What the markup calls the parts of a page: the names, classes and roles of the elements around a text.

use scraper::ElementRef;

/// Words longer than this are made by machines.
const LONGEST: usize = 20;

/// The block elements of a page, each with the one around it. The first one stands for the page.
#[derive(Debug)]
pub(super) struct Marks {
    nodes: Vec<Mark>,
}

/// One element.
#[derive(Debug)]
pub(super) struct Mark {
    /// The number of the element around it; the first one is around itself.
    pub parent: usize,
    /// How deep it stands.
    pub depth: usize,
    /// Its name, classes, id, role and property as written, divided by spaces.
    text: Box<str>,
}

impl Default for Marks {
    fn default() -> Marks {
        Marks { nodes: vec![Mark { parent: 0, depth: 0, text: "html".into() }] }
    }
}

impl Marks {
    /// Notes an element that stands in `parent`; gives its number.
    pub fn enter(&mut self, parent: usize, element: ElementRef<'_>) -> usize {
        let mut text = element.value().name().to_owned();
        for name in ["class", "id", "role", "itemprop"] {
            if let Some(value) = super::attr::attr(element, name) {
                text.push(' ');
                text.push_str(value);
            }
        }
        let depth = self.nodes[parent].depth + 1;
        self.nodes.push(Mark { parent, depth, text: text.into() });
        self.nodes.len() - 1
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn get(&self, number: usize) -> &Mark {
        &self.nodes[number]
    }
}

impl Mark {
    /// Its name and marks as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The element's name.
    pub fn name(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// The words of its marks in lower case: the name as `<name>`, then what classes and the like are made of, so that
    /// `relatedPosts-2` is `related` and `posts`.
    pub fn words(&self) -> impl Iterator<Item = String> + '_ {
        let name = std::iter::once(format!("<{}>", self.name()));
        let marks = self.text.split_once(' ').map_or("", |(_, marks)| marks);
        name.chain(words(marks))
    }
}

/// Words as people divide them in names: at anything but a letter, and where capitals begin.
pub(super) fn words(marks: &str) -> impl Iterator<Item = String> + '_ {
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
