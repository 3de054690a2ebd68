//! The witnesses of a charset, right, wrong, missing and against one another.

use super::*;
use proptest::prelude::*;

const CHINESE: &str = "这一页其实是国标码写成的，标签写错了，读者却照样要读。";
const TAIWAN: &str = "這一頁其實是大五碼寫成的，標籤寫錯了，讀者卻照樣要讀。";
const JAPANESE: &str = "このページは日本語で書かれています。ラベルは間違っていますが、読者は読みたいのです。";
const KOREAN: &str = "이 페이지는 한국어로 쓰여 있습니다. 표시는 틀렸지만 독자는 읽고 싶어 합니다.";
const RUSSIAN: &str = "Эта страница написана по-русски, а подпись неверна, но читатель хочет её прочесть.";

/// A text in a charset, by any of its labels.
fn coded(label: &str, text: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(label.as_bytes()).unwrap();
    if encoding == UTF_16LE {
        return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
    if encoding == UTF_16BE {
        return text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    }
    let (bytes, used, lossy) = encoding.encode(text);
    assert!(used == encoding && !lossy, "{label} cannot write {text}");
    bytes.into_owned()
}

/// A page is read as `want`: its charset, and the witness that decided.
fn check(bytes: &[u8], content_type: Option<&str>, want: (&str, CharsetFrom)) {
    let decoded = decode(bytes, content_type, None);
    assert_eq!((decoded.name, decoded.from), want, "{} {content_type:?}", String::from_utf8_lossy(bytes));
}

/// The same of a page that is written in `charset`; its text comes out as it went in.
fn check_text(charset: &str, page: &str, header: &str, want: (&str, CharsetFrom)) {
    let content_type = format!("text/html; charset={header}");
    let bytes = coded(charset, page);
    let decoded = decode(&bytes, Some(content_type.as_str()).filter(|_| !header.is_empty()), None);
    assert_eq!((decoded.name, decoded.from), want, "{page} in {charset}, header {header}");
    assert_eq!(decoded.text, page, "{charset}, header {header}");
}

use CharsetFrom::{Bom, Guess, Header, Meta};

#[test]
fn every_charset_is_read_by_its_labels() {
    for (label, text, name) in [
        ("gb2312", "朱镕基 碁 喆", "GBK"),
        ("GB_2312-80", CHINESE, "GBK"),
        ("x-gbk", "价格€ 5", "GBK"),
        ("gb18030", "㐂𠮷野家", "gb18030"),
        ("big5", TAIWAN, "Big5"),
        ("big5-hkscs", "香港", "Big5"),
        ("Shift_JIS", "艦これ ①ｱ", "Shift_JIS"),
        ("windows-31j", JAPANESE, "Shift_JIS"),
        ("euc-jp", JAPANESE, "EUC-JP"),
        ("iso-2022-jp", JAPANESE, "ISO-2022-JP"),
        ("ks_c_5601-1987", KOREAN, "EUC-KR"),
        ("euc-kr", "똠방각하", "EUC-KR"),
        ("windows-1250", "Žluťoučký kůň", "windows-1250"),
        ("windows-1251", RUSSIAN, "windows-1251"),
        ("koi8-r", RUSSIAN, "KOI8-R"),
        ("iso-8859-1", "„naïve“ – 5 €", "windows-1252"),
        ("latin1", "œuvre", "windows-1252"),
        ("iso-8859-2", "Žluťoučký kůň", "ISO-8859-2"),
        ("iso-8859-15", "5 € œuvre", "ISO-8859-15"),
        ("windows-1253", "Καλημέρα", "windows-1253"),
        ("iso-8859-9", "İstanbul ığdır", "windows-1254"),
        ("windows-1255", "שלום", "windows-1255"),
        ("windows-1256", "مرحبا", "windows-1256"),
        ("windows-1257", "ąčęėįšųūž", "windows-1257"),
        ("tis-620", "สวัสดี", "windows-874"),
        ("utf8", CHINESE, "UTF-8"),
    ] {
        check_text(label, &format!("<meta charset={label}><p>{text}"), "", (name, Meta));
        check_text(label, &format!("<p>{text}"), label, (name, Header));
    }
    // Only readers know the second row of gb18030 and the added characters of Hong Kong; no page is written so here.
    let hong_kong = b"<meta charset=big5-hkscs>\xad\xbb\xb4\xe4 \x9b\xd0 \x9d\xf6";
    assert!(decode(hong_kong, None, None).text.ends_with("香港 𠝹 喺"));
    let gbk = b"<meta charset=gb2312>\xa8\xbf \x81\x30\x84\x36";
    assert!(!decode(gbk, None, None).text.contains('\u{fffd}'));
}

#[test]
fn the_nearest_witness_decides() {
    check(b"\xef\xbb\xbf<meta charset=gbk>", Some("text/html; charset=big5"), ("UTF-8", Bom));
    check(b"\xff\xfeh\0i\0", Some("text/html; charset=utf-8"), ("UTF-16LE", Bom));
    check(b"\xfe\xff\0h\0i", None, ("UTF-16BE", Bom));
    check(b"<meta charset=big5>", Some("text/html; charset=GB2312"), ("GBK", Header));
    check(b"<meta charset=big5>", Some("text/html;charset=\"gbk\""), ("GBK", Header));
    check(b"<meta charset=big5>", Some("text/html; charset= gbk "), ("GBK", Header));
    check(b"<meta charset=big5>", Some("text/html; x=y; CHARSET=gbk"), ("GBK", Header));
    check(b"<meta charset=big5>", Some("text/html; charset=nonsense"), ("Big5", Meta));
    check(b"<meta charset=big5>", Some("text/html; charset="), ("Big5", Meta));
    check(b"<meta charset=big5>", Some("text/html"), ("Big5", Meta));
    check(b"<meta charset=nonsense>", None, ("UTF-8", Guess));
    check(b"<meta charset=nonsense><meta charset=gbk>", None, ("GBK", Meta));
    check(b"<meta charset=gbk><meta charset=big5>", None, ("GBK", Meta));
    check(b"", None, ("UTF-8", Guess));
    check(b"", Some("text/html; charset=gbk"), ("GBK", Header));
}

#[test]
fn metas_are_found_as_browsers_find_them() {
    check(b"<!-- <meta charset=big5> --><META\ncharset = 'gb18030' >", None, ("gb18030", Meta));
    check(b"<!--><meta charset=gbk>", None, ("GBK", Meta));
    check(b"<!-- never closed <meta charset=gbk>", None, ("UTF-8", Guess));
    check(b"<meta http-equiv=Content-Type content='text/html; charset=Shift_JIS'>", None, ("Shift_JIS", Meta));
    check(b"<meta content='text/html; charset=Shift_JIS' HTTP-EQUIV='content-type'/>", None, ("Shift_JIS", Meta));
    check(b"<meta http-equiv=content-type content=text/html;charset=euc-jp>", None, ("EUC-JP", Meta));
    check(b"<meta http-equiv=content-type content='text/html; charset = \"euc-jp\" x'>", None, ("EUC-JP", Meta));
    check(b"<meta http-equiv=content-type content='my charsets; charset=euc-jp;'>", None, ("EUC-JP", Meta));
    check(b"<meta http-equiv=content-type content='text/html; charset=\"euc-jp'>", None, ("UTF-8", Guess));
    check(b"<meta http-equiv=content-type content='gbk'>", None, ("UTF-8", Guess));
    check(b"<meta http-equiv=refresh content='text/html; charset=euc-jp'>", None, ("UTF-8", Guess));
    check(b"<meta http-equiv=x http-equiv=content-type content='charset=gbk'>", None, ("UTF-8", Guess));
    check(b"<meta http-equiv=content-type content='charset=gbk' charset=big5>", None, ("Big5", Meta));
    check(b"<meta content='text/html; charset=Shift_JIS'>", None, ("UTF-8", Guess));
    check(b"<meta name=description content='charset=gbk'>", None, ("UTF-8", Guess));
    check(b"<meta charset=utf-16><p>x", None, ("UTF-8", Meta));
    check(b"<meta charset=utf-16be><p>x", None, ("UTF-8", Meta));
    check(b"<meta charset=x-user-defined><p>x", None, ("windows-1252", Meta));
    check(b"<a title='<meta charset=big5>'><meta name=x><meta charset=gbk>", None, ("GBK", Meta));
    check(b"</a title='<meta charset=big5>'><meta/charset=gbk>", None, ("GBK", Meta));
    check(b"<!x <meta charset=big5> ><meta charset=gbk>", None, ("GBK", Meta));
    check(b"<metal charset=big5><meta charset=gbk>", None, ("GBK", Meta));
    check(b"<p>1 < 2 <3 <meta charset=gbk>", None, ("GBK", Meta));
    check(b"<meta charset=gbk", None, ("UTF-8", Guess));
    check(b"<?xml version='1.0' encoding='gb2312'?><html>", None, ("GBK", Meta));
    check(b"<?xml version=\"1.0\" encoding = \"EUC-JP\" ?><meta charset=gbk>", None, ("GBK", Meta));
    check(b"<?xml version='1.0' encoding='utf-16'?><html>", None, ("UTF-8", Meta));
    check(b" <?xml version='1.0' encoding='gbk'?><html>", None, ("UTF-8", Guess));
    check(b"<?xml version='1.0' encoding='gbk?><html>", None, ("UTF-8", Guess));
}

#[test]
fn a_late_meta_counts_where_nothing_else_is_said() {
    let late = |before: &str, meta: &str| [before.as_bytes(), &[b' '; 1024], meta.as_bytes()].concat();
    check(&late("", "<meta charset=big5>"), None, ("Big5", Meta));
    check(&late("<head><body>", "<meta charset=big5>"), None, ("Big5", Meta));
    check(&late("", "<meta charset=big5>"), Some("text/html; charset=gbk"), ("GBK", Header));
    check(&late("<meta charset=gbk>", "<meta charset=big5>"), None, ("GBK", Meta));
    check(&late("<?xml version='1.0' encoding='gbk'?>", "<meta charset=big5>"), None, ("GBK", Meta));
    check(&late("<script>", "'<meta charset=big5>'</SCRIPT><meta charset=gbk>"), None, ("GBK", Meta));
    check(&late("<textarea>", "<meta charset=big5>"), None, ("UTF-8", Guess));
    check(&late("<!--", "<meta charset=big5>"), None, ("UTF-8", Guess));
    // Half a name is none: the 1024 bytes end behind `iso-8859-1`.
    let cut = [&vec![b' '; 1024 - 24][..], b"<meta charset=iso-8859-15>"].concat();
    check(&cut, None, ("ISO-8859-15", Meta));
}

#[test]
fn a_page_without_label_is_guessed() {
    for (charset, text, want) in [
        ("utf-8", CHINESE, "UTF-8"),
        ("utf-8", "ä ö ü", "UTF-8"),
        ("gbk", CHINESE, "GBK"),
        ("big5", TAIWAN, "Big5"),
        ("shift_jis", JAPANESE, "Shift_JIS"),
        ("euc-jp", JAPANESE, "EUC-JP"),
        ("iso-2022-jp", JAPANESE, "ISO-2022-JP"),
        ("euc-kr", KOREAN, "EUC-KR"),
        ("windows-1251", RUSSIAN, "windows-1251"),
        ("windows-1252", "Où êtes-vous allés cet été, à la forêt ?", "windows-1252"),
        ("utf-16le", "<html><p>a page without its mark", "UTF-16LE"),
        ("utf-16be", "<html><p>a page without its mark", "UTF-16BE"),
    ] {
        check_text(charset, &format!("<html><p>{text}"), "", (want, Guess));
        if !charset.starts_with("utf-16") {
            check_text(charset, &format!("<p>{}{text}", "plain ".repeat(20_000)), "", (want, Guess));
        }
    }
}

#[test]
fn a_label_that_the_bytes_refute_gives_way() {
    for (charset, text, label, want) in [
        ("gbk", CHINESE, "utf-8", "GBK"),
        ("big5", TAIWAN, "utf-8", "Big5"),
        ("shift_jis", JAPANESE, "utf-8", "Shift_JIS"),
        ("euc-kr", KOREAN, "utf-8", "EUC-KR"),
        ("windows-1251", RUSSIAN, "utf-8", "windows-1251"),
        ("utf-8", CHINESE, "gbk", "UTF-8"),
        ("utf-8", CHINESE, "gb18030", "UTF-8"),
        ("utf-8", TAIWAN, "big5", "UTF-8"),
        ("utf-8", JAPANESE, "shift_jis", "UTF-8"),
        ("utf-8", JAPANESE, "iso-2022-jp", "UTF-8"),
        ("utf-8", KOREAN, "euc-kr", "UTF-8"),
        ("utf-8", RUSSIAN, "windows-1251", "UTF-8"),
        ("utf-8", CHINESE, "iso-8859-1", "UTF-8"),
        ("utf-8", CHINESE, "utf-16", "UTF-8"),
        ("utf-8", CHINESE, "hz-gb-2312", "UTF-8"),
        ("shift_jis", JAPANESE, "euc-jp", "Shift_JIS"),
    ] {
        check_text(charset, &format!("<p>{text}"), label, (want, Guess));
        let declared = decode(&coded(charset, text), Some(&format!("text/html; charset={label}")), None).declared;
        let name = Encoding::for_label(label.as_bytes()).unwrap().name();
        assert_eq!(declared.as_deref(), Some(name), "{label}");
        if label != "utf-16" {
            check_text(charset, &format!("<meta charset={label}><p>{text}"), "", (want, Guess));
        }
    }
    // A server's default against a page that knows better.
    check_text("gbk", &format!("<meta charset=gb2312><p>{CHINESE}"), "iso-8859-1", ("GBK", Guess));
    check_text("utf-8", &format!("<meta charset=utf-8><p>{CHINESE}"), "iso-8859-1", ("UTF-8", Guess));
}

#[test]
fn a_label_stands_while_there_is_any_doubt() {
    // Too little text to refute anything, whatever it looks like.
    check("<p>微信".as_bytes(), Some("text/html; charset=gbk"), ("GBK", Header));
    check(&coded("gbk", "<meta charset=gbk><p>联通"), None, ("GBK", Meta));
    check("<p>é".as_bytes(), Some("text/html; charset=iso-8859-1"), ("windows-1252", Header));
    check(&coded("gbk", "<meta charset=gbk><p>微信"), Some("text/html; charset=latin1"), ("windows-1252", Header));
    check(
        &coded("windows-1252", "<p>déjà vu, été, forêt"),
        Some("text/html; charset=latin1"),
        ("windows-1252", Header),
    );
    // Damaged pages keep their label: a cut character, a stray byte in every line.
    let page = format!("<p>{CHINESE}\n").repeat(8);
    check(&page.as_bytes()[..page.len() - 3], Some("text/html; charset=utf-8"), ("UTF-8", Header));
    let patched = [page.as_bytes(), b"\xa9 \xff"].concat().repeat(3);
    check(&patched, Some("text/html; charset=utf-8"), ("UTF-8", Header));
    let patched = [&coded("gbk", &page)[..], b"\xff\xff"].concat().repeat(3);
    check(&patched, Some("text/html; charset=gbk"), ("GBK", Header));
    // A long page is judged by a sample, which ends in the middle of a character.
    check(format!("{CHINESE}x").repeat(2000).as_bytes(), Some("text/html; charset=utf-8"), ("UTF-8", Header));
    check(format!("{CHINESE}x").repeat(2000).as_bytes(), None, ("UTF-8", Guess));
    check(format!("{CHINESE}x").repeat(2000).as_bytes(), Some("text/html; charset=gbk"), ("UTF-8", Guess));
}

#[test]
fn what_was_declared_is_kept_and_a_contradiction_said() {
    let odd = |bytes: &[u8], header: Option<&str>, declared: Option<&str>, odd: Option<&str>| {
        let decoded = decode(bytes, header, None);
        assert_eq!((decoded.declared.as_deref(), decoded.odd.as_deref()), (declared, odd), "{header:?}");
    };
    odd(b"<p>x", None, None, None);
    odd(b"<meta charset=gb2312>", Some("text/html; charset=gb18030"), Some("gb18030"), None);
    odd(b"<meta charset=utf-8>", None, Some("UTF-8"), None);
    odd(
        b"<meta charset=utf8mb4>",
        None,
        Some("utf8mb4"),
        Some("charset: the page says «utf8mb4», which is no charset; read as UTF-8, by what its bytes look like"),
    );
    odd(
        b"<meta charset=utf-8>",
        Some("text/html; charset=none"),
        Some("UTF-8"),
        Some("charset: the header says «none», which is no charset; read as UTF-8"),
    );
    odd(
        b"<meta charset=big5>",
        Some("text/html; charset=gbk"),
        Some("GBK"),
        Some("charset: the page says Big5; read as GBK"),
    );
    odd(
        b"\xef\xbb\xbf<meta charset=gbk>",
        Some("text/html; charset=big5"),
        Some("Big5"),
        Some("charset: the header says Big5, the page says GBK; read as UTF-8, as its byte order mark says"),
    );
    let page = coded("gbk", &format!("<meta charset=utf-8><p>{CHINESE}"));
    odd(&page, None, Some("UTF-8"), Some("charset: the page says UTF-8; read as GBK, by what its bytes look like"));
}

proptest! {
    #[test]
    fn any_bytes_are_text(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        label in "\\PC{0,20}",
        host in "\\PC{0,9}",
    ) {
        let _ = decode(&bytes, Some(&format!("text/html; charset={label}")), Some(&host));
        for before in ["<!--><meta ", "<?xml encoding=", "<meta charset=hz-gb-2312>"] {
            let page = [before.as_bytes(), &bytes].concat();
            let _ = decode(&page, None, Some(&host));
            let late = [&[b' '; 1024][..], &page].concat();
            let _ = decode(&late, None, None);
        }
    }

    #[test]
    fn any_label_reads_any_bytes(bytes in proptest::collection::vec(128..=255u8, 0..200), label in 0..40usize) {
        let labels = "gbk big5 shift_jis euc-jp euc-kr iso-2022-jp utf-16 hz-gb-2312 latin1 utf-8";
        let label = labels.split(' ').cycle().nth(label).unwrap();
        let _ = decode(&bytes, Some(&format!("text/html; charset={label}")), None);
    }
}
