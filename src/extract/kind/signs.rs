//! Signs that a page is not what was asked for: a wall before it, a note that it is gone, a shell that scripts fill; and
//! signs that an article goes on elsewhere.
//!
//! Whatever the status says: all of these come with 200. A sign counts only where there is hardly a text of the page's
//! own, so that an article about captchas stays an article.

use std::sync::LazyLock;

use regex::Regex;

use crate::extract::Kind;
use crate::extract::meta::facts::Facts;
use crate::extract::page::tree::{Block, Page, Zone};
use crate::extract::text::body::{Body, is_paragraph};

/// Marks in the source of pages that a protection puts before others.
const WALLS: &[&str] = &[
    "window.captcha",                     // SafeLine
    "SafeLineChallenge",                  // SafeLine
    "_cf_chl_opt",                        // Cloudflare: the challenge page's own options
    "captcha-delivery.com",               // DataDome
    "px-captcha",                         // HUMAN (PerimeterX)
    "_Incapsula_Resource",                // Imperva
    "Incapsula incident ID",              // Imperva
    "errors.edgesuite.net",               // Akamai: access denied
    "sec-if-cpt-container",               // Akamai: proof of work
    "sucuri_cloudproxy_js",               // Sucuri
    "acw_sc__v2",                         // Alibaba Cloud
    "aliyun_waf",                         // Alibaba Cloud
    "token.awswaf.com",                   // AWS WAF
    "AwsWafIntegration",                  // AWS WAF
    "DDoS-Guard",                         // DDoS-Guard
    "KPSDK",                              // Kasada
    "wappass.baidu.com",                  // Baidu
    "consent.google.com/save",            // Google's consent form
    "consent.yahoo.com",                  // Yahoo's consent form
    "cmp-consent-tool.privacymanager.io", // publishers' consent page
];

/// Marks of protections that stand on ordinary pages as well, where there are forms: signs only where there is no text.
const GUARDS: &[&str] = &[
    "byted_acrawler",        // ByteDance
    "class=\"g-recaptcha\"", // a form with a reCAPTCHA
    "class=\"h-captcha\"",   // a form with an hCaptcha
];

/// What a wall says to its reader, in lower case.
const WALL_WORDS: &[&str] = &[
    "verify you are human",
    "verify that you are human",
    "are you a robot",
    "you are not a robot",
    "checking your browser",
    "enable javascript and cookies to continue",
    "unusual traffic",
    "your request has been blocked",
    "you have been blocked",
    "access to this page has been denied",
    "pardon our interruption",
    "attention required! | cloudflare",
    "just a moment...",
    "security check to access",
    "complete the security check",
    "before you continue to",
    "bevor sie fortfahren",
    "avant de continuer vers",
    "please log in to continue",
    "log in to continue",
    "login to continue",
    "sie müssen sich anmelden",
    "sign in to continue",
    "log in to continue reading",
    "you must be logged in to view",
    "you must be logged in to read",
    "you must be logged in to access",
    "you must be logged in to continue",
    "you must be logged in to see",
    "sie müssen angemeldet sein",
    "bitte melden sie sich an, um",
    "请完成安全验证",
    "安全验证",
    "人机验证",
    "环境异常",
    "访问过于频繁",
    "请输入验证码",
    "滑动验证",
    "请登录后",
    "请先登录",
    "登录后查看",
    "访问被拒绝",
    "您的访问被阻断",
    "认证後",
    "ログインしてください",
    "ロボットではありません",
    "로그인이 필요",
    "로봇이 아닙니다",
    "доступ ограничен",
    "проверка браузера",
];

/// What a consent form says. Banners on ordinary pages say it too, so it counts where there is next to nothing else.
const CONSENT: &[&str] = &[
    "before you continue",
    "we value your privacy",
    "we and our partners",
    "partners store and access",
    "store and/or access information",
    "your privacy choices",
    "zustimmen und weiter",
    "mit werbung weiterlesen",
    "accepter et continuer",
    "continuer sans accepter",
    "acepta y continúa",
    "accetta e continua",
];

/// Fields that only a log-in has.
const PASSWORDS: &[&str] = &["type=\"password\"", "type=password", "type='password'"];

/// What a page says that is gone, in lower case, as its headline or title.
const GONE_HEADINGS: &[&str] = &[
    "404",
    "404 not found",
    "not found",
    "page not found",
    "error 404",
    "404 error",
    "page unavailable",
    "page no longer available",
    "content not found",
    "article not found",
    "this page does not exist",
    "this page doesn't exist",
    "this page isn't available",
    "this page could not be found",
    "page can't be found",
    "page cannot be found",
    "410 gone",
    "file not found",
    "oops! that page can",
    "seite nicht gefunden",
    "seite wurde nicht gefunden",
    "artikel nicht gefunden",
    "diese seite gibt es nicht",
    "page introuvable",
    "page non trouvée",
    "cette page n'existe",
    "página no encontrada",
    "pagina no encontrada",
    "pagina non trovata",
    "página não encontrada",
    "pagina niet gevonden",
    "nie znaleziono strony",
    "страница не найдена",
    "页面不存在",
    "页面未找到",
    "找不到页面",
    "找不到頁面",
    "頁面不存在",
    "文章不存在",
    "内容不存在",
    "文章已被删除",
    "页面没有找到",
    "ページが見つかりません",
    "お探しのページ",
    "記事が見つかりません",
    "페이지를 찾을 수 없습니다",
];

/// The same as all that there is of a text.
const GONE_TEXTS: &[&str] = &[
    "原文已被删除",
    "该内容已被发布者删除",
    "此内容因违规无法查看",
    "文章已被删除",
    "该文章已删除",
    "内容已删除",
    "您访问的页面不存在",
    "您访问的内容不存在",
    "该页面不存在",
    "文章不存在",
    "页面不存在",
    "網頁不存在",
    "本文已刪除",
    "has been removed",
    "has been deleted",
    "no longer available",
    "no longer exists",
    "does not exist",
    "could not be found",
    "can't find the page",
    "cannot find the page",
    "couldn't find the page",
    "page not found",
    "existiert nicht mehr",
    "nicht mehr verfügbar",
    "wurde nicht gefunden",
    "n'existe plus",
    "n'est plus disponible",
    "ya no está disponible",
    "no existe",
    "non è più disponibile",
    "掲載期間が終了",
    "削除されました",
    "公開を終了",
    "見つかりません",
    "삭제된",
    "존재하지 않는",
    "찾을 수 없습니다",
    "удалена",
    "не существует",
];

/// Elements that a framework fills when it runs.
const SHELLS: &[&str] = &[
    "id=\"root\"",
    "id=root",
    "id=\"app\"",
    "id=app",
    "id=\"__next\"",
    "id=\"__nuxt\"",
    "id=\"___gatsby\"",
    "__next_f",
    "<app-root",
    "ng-app",
    "data-reactroot",
    "id=\"svelte\"",
    "id=\"q-app\"",
];

/// What a page says to readers without scripts.
const NEEDS_SCRIPTS: &[&str] = &[
    "enable javascript",
    "javascript is required",
    "requires javascript",
    "javascript is disabled",
    "javascript to run this app",
    "javascript aktivieren",
    "activer javascript",
    "habilite javascript",
    "启用javascript",
    "开启javascript",
    "啟用javascript",
    "javascriptを有効",
    "자바스크립트를",
];

/// What an article says that goes on for those who pay, log in, or open something else; in lower case.
const CUTS: &[&str] = &[
    "余下全文",
    "剩余全文",
    "查看余下",
    "未完待续，请",
    "本文为付费",
    "付费后",
    "订阅后阅读",
    "登录后阅读",
    "阅读全文请",
    "打开app阅读",
    "打开app查看",
    "app内阅读",
    "下载客户端阅读全文",
    "会员专享",
    "subscribe to continue reading",
    "subscribe to keep reading",
    "subscribe to read",
    "continue reading with a",
    "to continue reading",
    "to read the full",
    "read the full story with",
    "this article is for subscribers",
    "this content is for subscribers",
    "this article is reserved for",
    "for subscribers only",
    "subscriber-only",
    "subscribers only",
    "members-only story",
    "unlock this article",
    "already a subscriber?",
    "nur für abonnenten",
    "exklusiv für abonnenten",
    "artikel weiterlesen mit",
    "jetzt weiterlesen",
    "weiterlesen mit",
    "um den artikel zu lesen",
    "mit dem abo",
    "diesen artikel lesen",
    "réservé aux abonnés",
    "réservé à nos abonnés",
    "article réservé",
    "il vous reste",
    "la suite est réservée",
    "para seguir leyendo",
    "contenido exclusivo para suscriptores",
    "solo para suscriptores",
    "exclusivo para assinantes",
    "contenuto riservato agli abbonati",
    "この記事は会員限定",
    "有料会員限定",
    "会員登録すると続き",
    "続きを読むには",
    "この続きは",
    "유료 회원",
    "구독하시면",
    "только для подписчиков",
];

/// A page with more text of its own than this is there; a third of it where the page says that it is an article, or has
/// an author or a day.
const LITTLE: usize = 900;
/// What a page says to readers without scripts stands within so many bytes.
const START: usize = 1 << 20;
/// A shell has no more text than this.
const EMPTY: usize = 150;
/// A line that says that an article is cut is no longer than this, in characters.
const LINE: usize = 200;
/// What structured data calls not free is cut below this.
const TEASED: usize = 1500;
/// A page of pictures has so many, and less text than this for each.
pub const PICTURES: usize = 6;
const FOR_EACH: usize = 80;
/// With more text than this it is an article that has many pictures.
const CAPTIONS: usize = 2000;

/// What a page is instead of what was asked for. `source` is the whole text of the document.
pub fn instead(page: &Page, body: &Body, facts: &Facts, is_signed: bool, source: &str) -> Option<Kind> {
    let kept = body.kept.iter().map(|number| &page.blocks[*number]);
    let own: usize = kept.filter(|block| is_paragraph(block)).map(|block| block.weight).sum();
    if own >= if facts.is_article || is_signed { LITTLE / 3 } else { LITTLE } {
        return None;
    }
    let all: usize = page.blocks.iter().filter(|block| !block.hidden).map(|block| block.weight).sum();
    let texts = || page.blocks.iter().filter(|block| !block.hidden).map(|block| block.text.to_lowercase());
    let title = page.title.as_deref().unwrap_or_default().to_lowercase();
    let says = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    // What a protection writes is short, menus and all.
    let is_short = all < 4 * LITTLE;
    let has = |marks: &[&str]| marks.iter().any(|mark| source.contains(mark));
    let walled = || has(WALLS) || own == 0 && has(GUARDS) || says(WALL_WORDS, &title);
    if is_short && (walled() || texts().any(|text| text.chars().count() <= LINE && says(WALL_WORDS, &text))) {
        return Some(Kind::Wall);
    }
    if all < LITTLE && (own == 0 && has(PASSWORDS) || texts().any(|text| says(CONSENT, &text))) {
        return Some(Kind::Wall);
    }
    if !facts.is_article && is_gone(page, &title, all) {
        return Some(Kind::Gone);
    }
    let scripts = page.requisites.iter().any(|one| one.role == crate::web::candidate::Role::Script);
    let source_says = |words: &[&str]| {
        let start = String::from_utf8_lossy(&source.as_bytes()[..source.len().min(START)]).to_lowercase();
        says(words, &start)
    };
    if own == 0 && all < EMPTY && (scripts || source.contains("<script")) {
        let is_shell = SHELLS.iter().any(|mark| source.contains(mark));
        if is_shell || source_says(NEEDS_SCRIPTS) {
            return Some(Kind::NeedsBrowser);
        }
    }
    None
}

/// Its headline or its title says that it is gone and little else, or all of its text does.
fn is_gone(page: &Page, title: &str, all: usize) -> bool {
    let is_note = |text: &str| {
        let text = text.trim().trim_end_matches(['.', '!', '。', '！']).to_lowercase();
        text.chars().count() <= 60
            && GONE_HEADINGS.iter().any(|words| {
                // «404» alone, but no «404 ways to …», and no hiker who was not found.
                if words.len() <= 3 { text == *words } else { text.contains(words) && words.len() * 2 >= text.len() }
            })
    };
    let headings = page.blocks.iter().filter(|block| block.heading > 0 && block.heading <= 2 && !block.hidden);
    let heading = headings.take(3).any(|block| is_note(&block.text));
    let in_title = title.split(['|', '–', '_', '·', '-', ':']).any(is_note);
    let is_line = |block: &&Block| {
        let text = block.text.to_lowercase();
        let is_all = all.saturating_sub(block.weight) < EMPTY;
        let says = || GONE_TEXTS.iter().any(|words| text.contains(words));
        block.zone < Zone::Around && is_all && text.chars().count() <= LINE && says()
    };
    heading || in_title || page.blocks.iter().any(|block| is_line(&block))
}

/// Any of [`CUTS`], found in one pass.
static CUT: LazyLock<Regex> = LazyLock::new(|| {
    let words: Vec<String> = CUTS.iter().map(|words| regex::escape(words)).collect();
    // The words are constants.
    Regex::new(&words.join("|")).expect("a valid expression")
});

/// The page shows less of its article than there is.
pub fn is_cut(page: &Page, body: &Body, facts: &Facts) -> bool {
    let text: usize = body.kept.iter().map(|number| page.blocks[*number].weight).sum();
    match facts.is_free {
        Some(false) if text < TEASED => return true,
        Some(false) => {}
        _ if text >= 4 * TEASED => return false,
        _ => {}
    }
    let lines = page.blocks.iter().filter(|block| block.zone < Zone::Around && !block.hidden);
    let mut lines = lines.filter(|block| block.text.chars().count() <= LINE);
    lines.any(|block| {
        let text = block.text.to_lowercase();
        CUT.is_match(&text) || says_what_is_left(&text)
    })
}

/// `残り1234文字`, `剩余 56%`: how much is left for those who pay.
fn says_what_is_left(text: &str) -> bool {
    ["残り", "剩余", "剩餘"].iter().any(|start| {
        let Some((_, rest)) = text.split_once(start) else { return false };
        let rest = rest.trim_start_matches([' ', ':', '：', '约', '約']);
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
        number.len() < rest.len() && number.trim_start().starts_with(['文', '字', '%', '％', '内'])
    })
}

/// Pictures with little text between them.
pub fn is_gallery(page: &Page, body: &Body, pictures: usize) -> bool {
    let text: usize = body.kept.iter().map(|number| page.blocks[*number].weight).sum();
    pictures >= PICTURES && text < (pictures * FOR_EACH).min(CAPTIONS)
}
