//! Attributes by name, without the parser's table of names.

use scraper::ElementRef;

/// The value of an attribute. `ElementRef::attr` looks the name up in a table that all threads share, for each question
/// anew; an element has few attributes and is asked for many. Names with a prefix, as SVG has them, are others.
pub fn attr<'a>(element: ElementRef<'a>, name: &str) -> Option<&'a str> {
    let attrs = &element.value().attrs;
    attrs.iter().find(|(one, _)| one.ns.is_empty() && *one.local == *name).map(|(_, value)| &**value)
}
