//! The `srcset` and `sizes` attributes, by the HTML standard's algorithm (4.8.4.2.2): a comma inside an address
//! belongs to it, and only white space ends an address.

/// One candidate of a `srcset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate<'a> {
    /// As written.
    pub url: &'a str,
    /// What it is for.
    pub size: Size,
}

/// The descriptor of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// `2x`; nothing is `1x`.
    Density(f32),
    /// `800w`.
    Width(f32),
}

/// Candidates read of one `srcset`. Image services write about ten; more would only be there to keep us busy.
const MOST: usize = 64;

/// The viewport a desktop reader most often had while the pages we archive were made, in CSS pixels.
const VIEWPORT: f32 = 1366.0;

/// The candidates in their order; those with a descriptor that cannot be read are dropped.
pub fn candidates(srcset: &str) -> Vec<Candidate<'_>> {
    let blank = |c: char| c.is_ascii_whitespace();
    let mut found = Vec::new();
    let mut rest = srcset;
    loop {
        rest = rest.trim_start_matches(|c| blank(c) || c == ',');
        if rest.is_empty() || found.len() == MOST {
            return found;
        }
        let (url, behind) = rest.split_at(rest.find(blank).unwrap_or(rest.len()));
        let descriptors;
        if url.ends_with(',') {
            (descriptors, rest) = ("", behind);
        } else {
            (descriptors, rest) = behind.split_at(end_of_descriptors(behind));
        }
        let url = url.trim_end_matches(',');
        // A descriptor without its address, as templates leave it, is read as an address by the algorithm.
        let is_descriptor = url.strip_suffix(['w', 'x']).is_some_and(|number| number.parse::<f32>().is_ok());
        if let Some(size) = size(descriptors).filter(|_| !is_descriptor) {
            found.push(Candidate { url, size });
        }
    }
}

/// Where the descriptors end: at a comma that does not stand in parentheses.
fn end_of_descriptors(text: &str) -> usize {
    let mut open = false;
    let end = text.find(|c| {
        open = (open || c == '(') && c != ')';
        c == ',' && !open
    });
    end.unwrap_or(text.len())
}

/// None when a browser would leave the candidate out.
fn size(descriptors: &str) -> Option<Size> {
    let (mut width, mut density, mut height) = (None, None, None);
    for word in descriptors.split_ascii_whitespace() {
        let (number, unit) = word.split_at_checked(word.len() - 1)?;
        let digits = || !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        match unit {
            "w" if digits() && width.is_none() && density.is_none() => width = number.parse::<f32>().ok(),
            "x" if is_float(number) && (width, density, height) == (None, None, None) => {
                density = number.parse::<f32>().ok();
            }
            "h" if digits() && height.is_none() && density.is_none() => height = number.parse::<f32>().ok(),
            _ => return None,
        }
    }
    match (width, density) {
        // A height says nothing a width has not said.
        (Some(width), _) => (width > 0.0).then_some(Size::Width(width)),
        (None, _) if height.is_some() => None,
        (None, density) => Some(Size::Density(density.unwrap_or(1.0))),
    }
}

/// A floating-point number as HTML writes it, and not below nought.
fn is_float(number: &str) -> bool {
    let starts = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    starts && number.parse::<f32>().is_ok_and(f32::is_finite)
}

/// The place in `candidates` of what a desktop browser takes on a screen of `density`: the smallest that is sharp
/// enough, else the sharpest. Browsers may choose otherwise when the network is slow or another size is cached.
pub fn pick(candidates: &[Candidate<'_>], sizes: Option<&str>, density: f32) -> Option<usize> {
    let slot = sizes.map_or(VIEWPORT, slot).max(1.0);
    let of = |candidate: &Candidate<'_>| match candidate.size {
        Size::Density(density) => density,
        Size::Width(width) => width / slot,
    };
    let by_density = |(_, a): &(usize, &Candidate<'_>), (_, b): &(usize, &Candidate<'_>)| of(a).total_cmp(&of(b));
    let sharp = candidates.iter().enumerate().filter(|(_, candidate)| of(candidate) >= density).min_by(by_density);
    sharp.or_else(|| candidates.iter().enumerate().max_by(by_density)).map(|(at, _)| at)
}

/// The width of the picture in CSS pixels by the first entry of `sizes` whose condition holds. Conditions other than
/// one minimal or maximal width, and lengths that need calculation, count as the whole viewport.
fn slot(sizes: &str) -> f32 {
    for entry in sizes.split(',').map(str::trim) {
        let (condition, length) = match entry.rfind(')') {
            Some(end) if entry.starts_with('(') => (Some(&entry[1..end]), entry[end + 1..].trim()),
            _ => (None, entry),
        };
        if condition.is_none_or(holds) {
            return pixels(length).unwrap_or(VIEWPORT);
        }
    }
    VIEWPORT
}

/// Whether a media condition holds on the desktop screen we stand for; unknown conditions do not.
pub fn holds(condition: &str) -> bool {
    let condition = condition.trim().trim_start_matches('(').trim_end_matches(')');
    match condition.split_once(':') {
        Some((name, value)) => match (name.trim(), pixels(value.trim())) {
            ("min-width", Some(width)) => VIEWPORT >= width,
            ("max-width", Some(width)) => VIEWPORT <= width,
            _ => false,
        },
        None => matches!(condition.trim(), "" | "all" | "screen" | "only screen"),
    }
}

fn pixels(length: &str) -> Option<f32> {
    let unit = length.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f32 = length[..unit].trim().parse().ok()?;
    match &length[unit..] {
        "px" => Some(number),
        "vw" => Some(number * VIEWPORT / 100.0),
        "em" | "rem" => Some(number * 16.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn candidates_are_those_of_the_standard() {
        check("a.jpg", "a.jpg 1x");
        check("a.jpg 1x, b.jpg 2x", "a.jpg 1x|b.jpg 2x");
        check("a.jpg@s_2,w_820,h_461 1x,b.jpg 2.5x", "a.jpg@s_2,w_820,h_461 1x|b.jpg 2.5x");
        check("a.jpg,b.jpg 300w", "a.jpg,b.jpg 300w");
        check("a.jpg, b.jpg 300w 200h", "a.jpg 1x|b.jpg 300w");
        check("data:image/png;base64,AA== 1x, b.jpg 2x", "data:image/png;base64,AA== 1x|b.jpg 2x");
        check("a.jpg what, b.jpg 300w, c.jpg -1x", "b.jpg 300w");
        check("a.jpg calc(1,2), b.jpg 3x", "b.jpg 3x");
        check("a.jpg, 2x, 150w, b.jpg 3x", "a.jpg 1x|b.jpg 3x");
        check("a 100w 200w, b 100w 2x, c infx, d 100.5w, e 1e3w, f +2x, g 200h, h 0w, i 2x 3x, j 1.5x", "j 1.5x");
        check(" ,, \n", "");
    }

    #[test]
    fn a_desktop_browser_takes_the_smallest_that_is_sharp() {
        let widths = "s 400w, m 800w, l 1600w";
        for (srcset, sizes, one, two) in [
            (widths, Some("(max-width: 600px) 100vw, 800px"), "m", "l"),
            (widths, Some("(min-width: 1000px) 300px, 100vw"), "s", "m"),
            (widths, Some("50vw"), "m", "l"),
            (widths, None, "l", "l"),
            ("a 1x, b 2x, c 3x", None, "a", "b"),
        ] {
            let candidates = candidates(srcset);
            let picked = |density| pick(&candidates, sizes, density).map(|at| candidates[at].url);
            assert_eq!((picked(1.0), picked(2.0)), (Some(one), Some(two)), "{srcset} {sizes:?}");
        }
        assert_eq!(pick(&[], None, 1.0), None);
    }

    proptest! {
        #[test]
        fn any_srcset_is_read(text in "\\PC{0,60}", sizes in "[(),:a-z0-9 ]{0,30}") {
            let candidates = candidates(&text);
            prop_assert_eq!(pick(&candidates, Some(&sizes), 1.0).is_none(), candidates.is_empty());
        }
    }

    fn check(srcset: &str, want: &str) {
        let found: Vec<String> = candidates(srcset)
            .iter()
            .map(|candidate| match candidate.size {
                Size::Density(density) => format!("{} {density}x", candidate.url),
                Size::Width(width) => format!("{} {width}w", candidate.url),
            })
            .collect();
        assert_eq!(found.join("|"), want, "{srcset}");
    }
}
