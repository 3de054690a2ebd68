//! The article as clean HTML: its blocks in the elements that mean something to a reader, its pictures between them,
//! nothing else. Made anew from what was read, so that no attribute, script or style of the page can be in it.

use crate::extract::page::tree::{Block, Page};
use crate::extract::text::body::Body;
use crate::extract::{Image, VariantRole};

/// What a block is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Paragraph,
    Heading(u8),
    /// In a list, by its element; true when the items are numbered.
    Item(usize, bool),
    /// In a table and one of its rows, by their elements.
    Cell(usize, usize),
    Quotation,
    Verbatim,
    Caption,
}

/// How far up an element may be that says what a block is.
const NEAR: usize = 6;

/// The article of a page.
pub fn html(page: &Page, body: &Body, images: &[Image]) -> String {
    let mut out = String::new();
    let mut last = None;
    let mut pictures: Vec<&Image> = images.iter().filter(|image| image.position.is_some()).collect();
    pictures.sort_by_key(|image| image.position);
    let mut pictures = pictures.into_iter().peekable();
    for (number, at) in (0u32..).zip(&body.kept) {
        while let Some(image) = pictures.next_if(|image| image.position.is_some_and(|place| place <= number)) {
            close(&mut out, last.take());
            figure(&mut out, image);
        }
        let block = &page.blocks[*at];
        let part = part(page, block);
        // The caption stands in the picture's own figure.
        if part == Part::Caption && images.iter().any(|image| image.caption.as_deref() == Some(&block.text)) {
            continue;
        }
        open(&mut out, last, part);
        write(&mut out, part, block.verbatim.as_deref().unwrap_or(&block.text));
        last = Some(part);
    }
    close(&mut out, last);
    pictures.for_each(|image| figure(&mut out, image));
    out
}

fn part(page: &Page, block: &Block) -> Part {
    if block.heading > 0 {
        return Part::Heading(block.heading);
    }
    let mut at = block.mark;
    for _ in 0..NEAR {
        let mark = page.marks.get(at);
        match mark.name() {
            "li" => {
                let numbered = page.marks.get(mark.parent).name() == "ol";
                return Part::Item(mark.parent, numbered);
            }
            "td" | "th" => {
                let mut table = mark.parent;
                while table != 0 && page.marks.get(table).name() != "table" {
                    table = page.marks.get(table).parent;
                }
                return Part::Cell(table, mark.parent);
            }
            "blockquote" => return Part::Quotation,
            "pre" => return Part::Verbatim,
            "figcaption" => return Part::Caption,
            "article" | "main" | "body" | "section" => break,
            _ => at = mark.parent,
        }
    }
    Part::Paragraph
}

/// Ends what the last part was in and begins what the next one is in, unless it is the same.
fn open(out: &mut String, last: Option<Part>, next: Part) {
    match (last, next) {
        (Some(Part::Item(list, _)), Part::Item(same, _)) if list == same => {}
        (Some(Part::Cell(table, row)), Part::Cell(same, next)) if table == same => {
            if row != next {
                out.push_str("</tr><tr>");
            }
        }
        _ => {
            close(out, last);
            match next {
                Part::Item(_, numbered) => out.push_str(if numbered { "<ol>" } else { "<ul>" }),
                Part::Cell(..) => out.push_str("<table><tr>"),
                _ => {}
            }
        }
    }
}

fn close(out: &mut String, last: Option<Part>) {
    match last {
        Some(Part::Item(_, true)) => out.push_str("</ol>\n"),
        Some(Part::Item(_, false)) => out.push_str("</ul>\n"),
        Some(Part::Cell(..)) => out.push_str("</tr></table>\n"),
        _ => {}
    }
}

fn write(out: &mut String, part: Part, text: &str) {
    let (before, after) = match part {
        Part::Paragraph | Part::Caption => ("<p>", "</p>\n"),
        Part::Heading(1) => ("<h1>", "</h1>\n"),
        Part::Heading(2) => ("<h2>", "</h2>\n"),
        Part::Heading(3) => ("<h3>", "</h3>\n"),
        Part::Heading(_) => ("<h4>", "</h4>\n"),
        Part::Item(..) => ("<li>", "</li>"),
        Part::Cell(..) => ("<td>", "</td>"),
        Part::Quotation => ("<blockquote>", "</blockquote>\n"),
        Part::Verbatim => ("<pre>", "</pre>\n"),
    };
    out.push_str(before);
    escape(out, text);
    out.push_str(after);
}

fn figure(out: &mut String, image: &Image) {
    let Some(original) = image.variants.iter().find(|variant| variant.role == VariantRole::Original) else { return };
    out.push_str("<figure><img src=\"");
    escape(out, original.url.as_str());
    out.push_str("\" alt=\"");
    escape(out, image.alt.as_deref().unwrap_or_default());
    out.push_str("\">");
    if let Some(caption) = &image.caption {
        out.push_str("<figcaption>");
        escape(out, caption);
        out.push_str("</figcaption>");
    }
    out.push_str("</figure>\n");
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}
