//! Addresses wrapped in other addresses: image proxies, resizers, CORS relays. The rules are a table.

use super::url::WebUrl;

/// What a wrapped address wraps, outermost first, the innermost last; empty when nothing is wrapped.
pub fn unwrapped(url: &WebUrl) -> Vec<WebUrl> {
    let _ = url;
    Vec::new()
}
