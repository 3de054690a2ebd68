//! RFC 9309 as a table: what a robots.txt says of a path, and which line says it. What becomes of answers that are no
//! file is in `robots.rs`.

use std::time::{Duration, Instant};

use pressmark::politeness::{MOST_CRAWL_DELAY, ROBOTS_LIMIT, Robots, product_token, survey};

/// What a file says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    /// Allowed by this line.
    Yes(u32),
    /// Forbidden by this line.
    No(u32),
    /// No rule matches.
    Nothing,
}
use Says::{No, Nothing, Yes};

struct Case(&'static str, &'static str, &'static str, Says);

#[rustfmt::skip]
const CASES: &[Case] = &[
    // 2.1, 2.2.1: groups and whom they are for
    Case("an empty file", "", "/x", Nothing),
    Case("everybody is kept out", "User-agent: *\nDisallow: /", "/x", No(2)),
    Case("ours goes before everybody's", "User-agent: *\nDisallow: /\nUser-agent: pressmark\nDisallow: /a", "/b", Nothing),
    Case("and wherever it stands", "User-agent: pressmark\nDisallow: /a\nUser-agent: *\nDisallow: /", "/b", Nothing),
    Case("everybody's is never merged with ours", "User-agent: *\nDisallow: /b\nUser-agent: pressmark\nDisallow: /a", "/b", Nothing),
    Case("an empty group of ours goes before everybody's", "User-agent: pressmark\nDisallow:\n\nUser-agent: *\nDisallow: /", "/x", Nothing),
    Case("the case of a name does not count", "User-agent: PressMark\nDisallow: /a", "/a", No(2)),
    Case("a name with a version", "User-agent: pressmark/2.0\nDisallow: /a", "/a", No(2)),
    Case("a name with a remark", "User-agent: pressmark (x)\nDisallow: /a", "/a", No(2)),
    Case("a name with version and remark", "User-agent: pressmark/2.0 (+http://h.example/)\nDisallow: /a", "/a", No(2)),
    Case("a longer name is another's", "User-agent: pressmark2\nDisallow: /a", "/a", Nothing),
    Case("a name that ours contains is another's", "User-agent: press\nDisallow: /a", "/a", Nothing),
    Case("a name that contains ours is another's", "User-agent: my-pressmark\nDisallow: /a", "/a", Nothing),
    Case("a star with a name is nobody", "User-agent: press*\nDisallow: /a", "/a", Nothing),
    Case("a star with a remark is everybody", "User-agent: * (all)\nDisallow: /a", "/a", No(2)),
    Case("no name is nobody", "User-agent:\nDisallow: /a", "/a", Nothing),
    Case("two names, one group", "User-agent: a\nUser-agent: pressmark\nDisallow: /a", "/a", No(3)),
    Case("two names, the other first", "User-agent: pressmark\nUser-agent: a\nDisallow: /a", "/a", No(3)),
    Case("an empty line does not end a group", "User-agent: pressmark\n\nDisallow: /a", "/a", No(3)),
    Case("an empty line between names does not either", "User-agent: pressmark\n\nUser-agent: a\nDisallow: /a", "/a", No(4)),
    Case("a rule ends the names", "User-agent: pressmark\nDisallow: /a\nUser-agent: a\nDisallow: /b", "/b", Nothing),
    Case("an empty rule ends the names", "User-agent: pressmark\nDisallow:\nUser-agent: a\nDisallow: /b", "/b", Nothing),
    Case("groups of one name are one: the first", "User-agent: pressmark\nDisallow: /a\n\nUser-agent: pressmark\nDisallow: /b", "/a", No(2)),
    Case("groups of one name are one: the second", "User-agent: pressmark\nDisallow: /a\n\nUser-agent: pressmark\nDisallow: /b", "/b", No(5)),
    Case("with another's between", "User-agent: pressmark\nDisallow: /a\nUser-agent: z\nDisallow: /c\nUser-agent: pressmark\nDisallow: /b", "/b", No(6)),
    Case("which stays another's", "User-agent: pressmark\nDisallow: /a\nUser-agent: z\nDisallow: /c\nUser-agent: pressmark\nDisallow: /b", "/c", Nothing),
    Case("everybody's groups are one, too", "User-agent: *\nDisallow: /a\nUser-agent: z\nDisallow: /\nUser-agent: *\nDisallow: /b", "/b", No(6)),
    Case("rules before any group bind nobody", "Disallow: /\nUser-agent: *\nAllow: /", "/x", Yes(3)),
    Case("rules and no group", "Disallow: /", "/x", Nothing),
    Case("a file for others", "User-agent: a\nDisallow: /\nUser-agent: b\nDisallow: /", "/x", Nothing),
    // 2.2.4: other lines
    Case("an unknown line ends no group", "User-agent: pressmark\nHost: h.example\nDisallow: /a", "/a", No(3)),
    Case("an unknown line between names", "User-agent: pressmark\nNoindex: /x\nUser-agent: z\nDisallow: /a", "/a", No(4)),
    Case("Crawl-delay between names", "User-agent: pressmark\nCrawl-delay: 3\nUser-agent: z\nDisallow: /", "/x", No(4)),
    Case("Sitemap between names", "User-agent: pressmark\nSitemap: http://h.example/s.xml\nUser-agent: z\nDisallow: /", "/x", No(4)),
    Case("Sitemap among the rules", "User-agent: *\nDisallow: /a\nSitemap: http://h.example/s.xml\nDisallow: /b", "/b", No(4)),
    Case("a line without sense", "User-agent: *\nfnord\nDisallow: /a", "/a", No(3)),
    Case("a page instead", "<html><p>Disallow: /</p></html>", "/x", Nothing),
    Case("a page with lines like rules", "<html>\nUser-agent: *\nDisallow: /a\n</html>", "/a", No(3)),
    // 2.2: lines, space, comments
    Case("CR LF", "User-agent: *\r\nDisallow: /a\r\n", "/a", No(2)),
    Case("CR only", "User-agent: *\rDisallow: /a\rAllow: /a$", "/a", Yes(3)),
    Case("ends of all kinds", "User-agent: *\r\n\rDisallow: /a\n\r\nDisallow: /b", "/b", No(5)),
    Case("no end at the end", "User-agent: *\nDisallow: /a", "/a", No(2)),
    Case("a mark at the beginning", "\u{feff}User-agent: *\nDisallow: /a", "/a", No(2)),
    Case("a mark within is none", "User-agent: *\n\u{feff}Disallow: /a", "/a", Nothing),
    Case("space before and behind", "  User-agent : *  \n\tDisallow\t:\t/a\t ", "/a", No(2)),
    Case("no space at all", "User-agent:*\nDisallow:/a", "/a", No(2)),
    Case("keys in capitals", "USER-AGENT: *\nDISALLOW: /a", "/a", No(2)),
    Case("a comment behind a rule", "User-agent: * # all\nDisallow: /a # secret", "/a", No(2)),
    Case("a comment at once", "User-agent: *\nDisallow: /a#b", "/a", No(2)),
    Case("a rule in a comment", "User-agent: *\n# Disallow: /a", "/a", Nothing),
    Case("a comment does not end a group", "User-agent: *\n# x\nDisallow: /a", "/a", No(3)),
    Case("NUL bytes are a line like any other", "\0\0\nUser-agent: *\nDisallow: /a", "/a", No(3)),
    // Leniencies
    Case("no colon before one word", "User-agent *\nDisallow /a", "/a", No(2)),
    Case("no colon before two words is no rule", "User-agent: *\nDisallow /a /b", "/a", Nothing),
    Case("Dissallow", "User-agent: *\nDissallow: /a", "/a", No(2)),
    Case("Disalow", "User-agent: *\nDisalow: /a", "/a", No(2)),
    Case("Useragent", "Useragent: *\nDisallow: /a", "/a", No(2)),
    Case("User agent", "User agent: *\nDisallow: /a", "/a", No(2)),
    Case("Disallow without its slash gets it", "User-agent: *\nDisallow: private/", "/private/x", No(2)),
    Case("Allow without its slash is not read", "User-agent: *\nDisallow: /\nAllow: public/", "/public/x", No(2)),
    // 2.2.2: matching
    Case("a path begins so", "User-agent: *\nDisallow: /fish", "/fishheads/x", No(2)),
    Case("a path begins otherwise", "User-agent: *\nDisallow: /fish", "/catfish", Nothing),
    Case("the case of a path counts", "User-agent: *\nDisallow: /fish", "/Fish", Nothing),
    Case("a folder is not its file", "User-agent: *\nDisallow: /fish/", "/fish", Nothing),
    Case("an empty Disallow forbids nothing", "User-agent: *\nDisallow:", "/x", Nothing),
    Case("an empty Disallow with a comment", "User-agent: *\nDisallow: # nothing", "/x", Nothing),
    Case("an empty Allow allows nothing", "User-agent: *\nDisallow: /\nAllow:", "/x", No(2)),
    Case("the longest rule decides", "User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/b", Yes(2)),
    Case("in whatever order", "User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", Yes(3)),
    Case("and the other way round", "User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b", No(3)),
    Case("the page of the standard's example", "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/", Yes(2)),
    Case("its picture", "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/disallowed.gif", No(3)),
    Case("of two equals the one that allows", "User-agent: *\nDisallow: /page\nAllow: /page", "/page", Yes(3)),
    Case("even when it stands first", "User-agent: *\nAllow: /p\nDisallow: /p", "/page", Yes(2)),
    Case("equal in normal form", "User-agent: *\nDisallow: /中\nAllow: /%e4%b8%ad", "/中", Yes(3)),
    Case("stars count as octets", "User-agent: *\nAllow: /page\nDisallow: /*.html", "/page.html", No(3)),
    Case("the query belongs to it", "User-agent: *\nDisallow: /*?print", "/a?print=1", No(2)),
    Case("a rule for one query", "User-agent: *\nDisallow: /a?b", "/a?c", Nothing),
    Case("robots.txt itself", "User-agent: *\nDisallow: /", "/robots.txt", Nothing),
    Case("and nothing that looks like it", "User-agent: *\nDisallow: /", "/robots.txt?x", No(2)),
    // 2.2.2: octets
    Case("what need not be encoded is not", "User-agent: *\nDisallow: /%62%61%7A", "/baz", No(2)),
    Case("nor in the path", "User-agent: *\nDisallow: /baz", "/%62%61%7A", No(2)),
    Case("a tilde", "User-agent: *\nDisallow: /%7Ejoe/", "/~joe/index.html", No(2)),
    Case("an encoded slash is no slash", "User-agent: *\nDisallow: /a%2Fb", "/a/b", Nothing),
    Case("nor is a slash an encoded one", "User-agent: *\nDisallow: /a/b", "/a%2Fb", Nothing),
    Case("the case of hexadecimal does not count", "User-agent: *\nDisallow: /a%3cd", "/a%3Cd", No(2)),
    Case("nor the other way round", "User-agent: *\nDisallow: /a%3CD", "/a%3cD", No(2)),
    Case("what must be encoded is, in the rule", "User-agent: *\nDisallow: /中", "/%E4%B8%AD/x", No(2)),
    Case("and in the path", "User-agent: *\nDisallow: /%E4%B8%AD", "/中/x", No(2)),
    Case("the standard's ツ", "User-agent: *\nDisallow: /foo/bar/ツ", "/foo/bar/%E3%83%84", No(2)),
    Case("the standard's address in a query", "User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar", No(2)),
    Case("as it stands", "User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar", No(2)),
    Case("and encoded in the rule", "User-agent: *\nDisallow: /foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar", No(2)),
    Case("and behind a star", "User-agent: *\nDisallow: /*u=http://", "/go?u=http://h.example", No(2)),
    Case("a space in a rule", "User-agent: *\nDisallow: /a b", "/a%20b", No(2)),
    Case("braces and bars", "User-agent: *\nDisallow: /{a|b}", "/%7Ba%7Cb%7D", No(2)),
    Case("an apostrophe", "User-agent: *\nDisallow: /it's", "/it%27s", No(2)),
    Case("a percent sign that encodes nothing", "User-agent: *\nDisallow: /100%", "/100%", No(2)),
    Case("half a percent code", "User-agent: *\nDisallow: /100%2", "/100%2x", No(2)),
    // 2.2.3: * and $
    Case("a star within", "User-agent: *\nDisallow: /fish*.php", "/fishheads/catfish.php?parameters", No(2)),
    Case("a star for nothing", "User-agent: *\nDisallow: /fish*.php", "/fish.php", No(2)),
    Case("a star and no match", "User-agent: *\nDisallow: /fish*.php", "/Fish.PHP", Nothing),
    Case("a star first", "User-agent: *\nDisallow: *.gif", "/a/b.gif", No(2)),
    Case("a star last changes nothing", "User-agent: *\nDisallow: /fish*", "/fish.html", No(2)),
    Case("only a star", "User-agent: *\nDisallow: *", "/", No(2)),
    Case("stars in a row", "User-agent: *\nDisallow: /a***b", "/axb", No(2)),
    Case("pieces in their order", "User-agent: *\nDisallow: /*a*b*c", "/xbxaxbxc", No(2)),
    Case("and only in their order", "User-agent: *\nDisallow: /*a*b*c", "/xcxbxa", Nothing),
    Case("pieces may not overlap", "User-agent: *\nDisallow: /*ab*ba", "/aba", Nothing),
    Case("a dollar ends", "User-agent: *\nDisallow: /*.php$", "/x.php", No(2)),
    Case("and there must be the end", "User-agent: *\nDisallow: /*.php$", "/x.php?y", Nothing),
    Case("the last match ends", "User-agent: *\nDisallow: /*.php$", "/x.php/y.php", No(2)),
    Case("a dollar without star", "User-agent: *\nAllow: /$\nDisallow: /", "/", Yes(2)),
    Case("which is the home page alone", "User-agent: *\nAllow: /$\nDisallow: /", "/x", No(3)),
    Case("a star and a dollar", "User-agent: *\nDisallow: /a*$", "/abc", No(2)),
    Case("a dollar within is a dollar", "User-agent: *\nDisallow: /a$b", "/a$b", No(2)),
    Case("and no end", "User-agent: *\nDisallow: /a$b", "/a", Nothing),
    Case("an encoded dollar is a dollar", "User-agent: *\nDisallow: /foo-%24", "/foo-$", No(2)),
    Case("and no end either", "User-agent: *\nDisallow: /foo-%24", "/foo-", Nothing),
    Case("an encoded star is a star", "User-agent: *\nDisallow: /file-with-a-%2A.html", "/file-with-a-*.html", No(2)),
    Case("and nothing else", "User-agent: *\nDisallow: /file-with-a-%2A.html", "/file-with-a-b.html", Nothing),
    Case("a question mark is itself", "User-agent: *\nDisallow: /a?b", "/axb", Nothing),
    Case("a dot is itself", "User-agent: *\nDisallow: /a.b", "/axb", Nothing),
    Case("brackets are themselves", "User-agent: *\nDisallow: /[ab]", "/a", Nothing),
];

fn said(robots: &Robots, path: &str) -> Says {
    let verdict = robots.verdict(path);
    match (verdict.allowed, verdict.line) {
        (true, Some(line)) => Yes(line),
        (false, Some(line)) => No(line),
        (true, None) => Nothing,
        (false, None) => panic!("{path} is forbidden by no line"),
    }
}

#[test]
fn every_case_of_the_standard_is_read_as_it_says() {
    assert!(CASES.len() >= 110, "{}", CASES.len());
    for Case(name, file, path, says) in CASES {
        let robots = Robots::read(file.as_bytes(), "pressmark");
        assert_eq!(said(&robots, path), *says, "{name}: {path} by\n{file}");
        // The verdict shows the line that it names.
        let verdict = robots.verdict(path);
        if let Some(line) = verdict.line.filter(|_| !file.contains('\r')) {
            let written = file.lines().nth(line as usize - 1).unwrap();
            assert!(written.contains(&verdict.rule), "{name}: «{}» is not line {line}, «{written}»", verdict.rule);
        }
    }
}

/// What the operator calls the crawler decides whose group it obeys.
#[test]
fn the_name_is_that_of_the_user_agent() {
    let file =
        b"User-agent: *\nDisallow: /all\nUser-agent: OtherBot\nDisallow: /other\nUser-agent: Bot-2\nDisallow: /two";
    for (user_agent, token, forbidden) in [
        ("OtherBot/1.0", "OtherBot", "/other"),
        ("otherbot", "otherbot", "/other"),
        ("OtherBot/1.0 (+http://h.example/)", "OtherBot", "/other"),
        ("Mozilla/5.0 (compatible; OtherBot/1.0; +http://h.example/)", "OtherBot", "/other"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla", "/all"),
        ("Bot-2 (news)", "Bot-2", "/two"),
        ("pressmark/0.1", "pressmark", "/all"),
        ("", "", "/all"),
    ] {
        assert_eq!(product_token(user_agent), token);
        let robots = Robots::read(file, token);
        for path in ["/all", "/other", "/two"] {
            assert_eq!(robots.verdict(path).allowed, path != forbidden, "{user_agent}: {path}");
        }
    }
}

#[test]
fn a_crawl_delay_is_seconds_up_to_an_hour() {
    for (value, want) in [
        ("3", Some(3000)),
        ("1.5", Some(1500)),
        (" 2 # slowly", Some(2000)),
        ("10s", Some(10_000)),
        ("10 seconds", Some(10_000)),
        ("1,5", Some(1500)),
        ("500ms", Some(500)),
        ("5 min", Some(300_000)),
        ("2m", Some(120_000)),
        ("1h", Some(3_600_000)),
        ("5-10", Some(5000)),
        ("1,000,5", None),
        ("0", None),
        ("0.0", None),
        ("-5", None),
        ("fast", None),
        ("", None),
        (".", None),
        ("NaN", None),
        ("inf", None),
        ("3600", Some(3_600_000)),
        ("86400", Some(3_600_000)),
        ("99999999999999999999999999", Some(3_600_000)),
    ] {
        let robots = Robots::read(format!("User-agent: *\nCrawl-delay: {value}").as_bytes(), "pressmark");
        assert_eq!(robots.crawl_delay, want.map(Duration::from_millis), "{value}");
    }
    assert_eq!(MOST_CRAWL_DELAY, Duration::from_secs(3600));
    let several = b"Crawl-delay: 9\nUser-agent: a\nUser-agent: *\nCrawl-delay: 1.5\nUser-agent: *\nCrawl-delay: x\nUser-agent: z\nDisallow:\nUser-agent: z\nCrawl-delay: 8";
    assert_eq!(Robots::read(several, "pressmark").crawl_delay, Some(Duration::from_millis(1500)));
}

#[test]
fn a_line_that_the_limit_cuts_is_not_read() {
    let file = |before: usize, line: &str| {
        let head = "User-agent: *\nDisallow: /early\n";
        let filler = "#".repeat(before - head.len() - 1);
        format!("{head}{filler}\n{line}\nDisallow: /late\n")
    };
    let line = "Disallow: /private-and-more";
    for (name, before, read) in [
        ("well before", 1000, true),
        ("ends at the limit", ROBOTS_LIMIT - line.len(), true),
        ("ends an octet later", ROBOTS_LIMIT - line.len() + 1, false),
        ("is cut after a slash", ROBOTS_LIMIT - "Disallow: /".len(), false),
        ("begins at the limit", ROBOTS_LIMIT, false),
    ] {
        let text = file(before, line);
        assert_eq!(&text[before..before + line.len()], line);
        let robots = Robots::read(text.as_bytes(), "pressmark");
        assert_eq!(said(&robots, "/early"), No(2), "{name}");
        assert_eq!(said(&robots, "/private-and-more"), if read { No(4) } else { Nothing }, "{name}");
        assert_eq!(said(&robots, "/late"), if name == "well before" { No(5) } else { Nothing }, "{name}");
        assert_eq!(said(&robots, "/x"), Nothing, "{name}");
        let oddities = survey(text.as_bytes()).oddities;
        assert_eq!(oddities.len(), usize::from(text.len() > ROBOTS_LIMIT), "{name}: {oddities:?}");
    }
}

#[test]
fn other_encodings_say_what_they_are() {
    let utf16 = |big: bool| {
        let units = "\u{feff}User-agent: *\nDisallow: /中".encode_utf16();
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<u8>>()
    };
    for bytes in [utf16(true), utf16(false)] {
        assert_eq!(said(&Robots::read(&bytes, "pressmark"), "/%E4%B8%AD"), No(2));
    }
    // Without its mark it is taken for what the standard asks for, and says nothing.
    assert_eq!(said(&Robots::read(&utf16(true)[2..], "pressmark"), "/%E4%B8%AD"), Nothing);
    let latin = b"User-agent: *\nDisallow: /caf\xe9";
    assert_eq!(said(&Robots::read(latin, "pressmark"), "/caf%E9"), No(2));
}

#[test]
fn what_a_file_names_is_seen_wherever_it_stands() {
    let file = "Sitemap: http://h.example/1.xml\nUser-agent: a\nSITEMAP:http://h.example/2.xml # news\nDisallow: /\n\
        Site-map: /3.xml\nCrawl-delay: 86400";
    let survey = survey(file.as_bytes());
    assert_eq!(survey.sitemaps, ["http://h.example/1.xml", "http://h.example/2.xml", "/3.xml"]);
    assert_eq!(survey.oddities, ["line 6: a Crawl-delay of 86400 is taken for 3600"]);
}

/// Nobody can make the crawler think for long.
#[test]
fn hostile_patterns_cost_little() {
    let stars = format!("User-agent: *\nDisallow: /{}$", "*a".repeat(1000));
    let many = format!("User-agent: *\n{}", "Disallow: /*a*a*a*a*b$\n".repeat(20_000));
    let long = format!("/{}", "a".repeat(2000));
    let begin = Instant::now();
    let robots = Robots::read(stars.as_bytes(), "pressmark");
    assert_eq!(said(&robots, &long), No(2));
    assert_eq!(said(&robots, &format!("{long}b")), Nothing);
    assert_eq!(said(&Robots::read(many.as_bytes(), "pressmark"), &long), Nothing);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
