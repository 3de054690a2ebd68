//! Signed addresses: they hold only as they are. Those with the instant at which they expire are asked for first.

use super::url::WebUrl;

/// Names of query parameters, in lower case; an address that has all of a row expires.
const EXPIRING: &[&[&str]] = &[
    // Amazon S3 and what speaks like it: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    &["x-amz-expires", "x-amz-signature"],
    // S3 before 2014, CloudFront, Aliyun OSS: https://help.aliyun.com/document_detail/31952.html
    &["expires", "signature"],
    // CloudFront with a policy of one's own, which holds the instant:
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-urls.html
    &["policy", "signature", "key-pair-id"],
    // Google Cloud Storage: https://cloud.google.com/storage/docs/access-control/signed-urls
    &["x-goog-expires", "x-goog-signature"],
    // ByteDance's picture CDN, as its pages print it.
    &["x-expires", "x-signature"],
    // Azure's shared access signatures: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
    &["se", "sig"],
    // Facebook's and Instagram's picture CDN, as their pages print it.
    &["oe", "oh"],
    // Volcano's and Tencent's CDN, «type D»: https://cloud.tencent.com/document/product/228/41625
    &["sign", "t"],
    // Tencent's COS: https://cloud.tencent.com/document/product/436/7778
    &["q-sign-time", "q-signature"],
    // Qiniu's private spaces: https://developer.qiniu.com/kodo/1656/download-private
    &["e", "token"],
    // Akamai's token, with `exp=` in its value: https://github.com/akamai/EdgeAuth-Token-Python
    &["hdnts"],
    &["hdnea"],
    // Picture hosts of portals in Chinese, as their pages print it.
    &["sec", "t"],
    // Discord's attachments since 2023.
    &["ex", "is", "hm"],
    // Aliyun's CDN, authentication by key: https://help.aliyun.com/document_detail/85117.html
    &["auth_key"],
    // Wangsu's CDN, as its customers' pages print it.
    &["wssecret", "wstime"],
    // Fastly, bunny.net and others by a token and its end: https://docs.bunny.net/docs/cdn-token-authentication
    &["token", "expires"],
];

/// Parameters with which picture services, by their manuals (imgix's `s` and `ixlib`, Drupal's `itok`), sign an address
/// for good.
const LASTING: &[&[&str]] = &[
    &["signature"],
    &["x-signature"],
    &["x-amz-signature"],
    &["x-goog-signature"],
    &["sig"],
    &["sign"],
    &["s"],
    &["hash"],
    &["hmac"],
    &["itok"],
    &["ixlib"],
    &["policy"],
    &["token"],
    &["wssecret"],
];

/// Whether this address says that it expires.
pub fn expires(url: &WebUrl) -> bool {
    has_all_of_one(url, EXPIRING)
}

/// Whether this address is signed, for a while or for good: any other form of it is refused.
pub fn is_signed(url: &WebUrl) -> bool {
    expires(url) || has_all_of_one(url, LASTING)
}

fn has_all_of_one(url: &WebUrl, rows: &[&[&str]]) -> bool {
    let Some((_, query)) = url.as_str().split_once('?') else { return false };
    let names: Vec<String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_ascii_lowercase()).collect();
    rows.iter().any(|row| row.iter().all(|name| names.iter().any(|known| known == name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_expires_when_it_says_so() {
        for (url, want) in [
            ("https://i.example/a.jpg?X-Amz-Date=2021&X-Amz-Expires=900&X-Amz-Signature=ab", true),
            ("https://i.example/a.jpg?Expires=1635214000&OSSAccessKeyId=k&Signature=ab%3D", true),
            ("https://i.example/a~tplv-x.jpeg?x-expires=1635214000&x-signature=ab", true),
            ("https://i.example/a.jpg?sec=1635214000&t=ab", true),
            ("https://i.example/a.jpg?auth_key=1635214000-0-0-ab", true),
            ("https://i.example/a.jpg?Policy=ab_&Signature=cd&Key-Pair-Id=K1", true),
            ("https://i.example/a.jpg?hdnts=exp=1635214000~acl=/*~hmac=ab", true),
            ("https://i.example/a.jpg?hdnea=exp=1635214000~hmac=ab", true),
            ("https://i.example/a.jpg?q-sign-algorithm=sha1&q-sign-time=1;2&q-signature=ab", true),
            ("https://i.example/a.jpg?e=1635214000&token=k:ab", true),
            ("https://i.example/a.jpg?wsSecret=ab&wsTime=1635214000", true),
            ("https://i.example/a.jpg?token=ab", false),
            ("https://i.example/a.jpg?e=2&size=3", false),
            ("https://i.example/a.jpg?t=1635214000", false),
            ("https://i.example/a.jpg?expires=never", false),
            ("https://i.example/a.jpg", false),
        ] {
            assert_eq!(expires(&WebUrl::parse(url).unwrap()), want, "{url}");
        }
    }

    #[test]
    fn a_signature_need_not_expire() {
        for (url, want) in [
            ("https://i.example/a.jpg?w=300&s=ab", true),
            ("https://i.example/a.jpg?itok=ab", true),
            ("https://i.example/a.jpg?Expires=1635214000&Signature=ab", true),
            ("https://i.example/a.jpg?w=300&h=200", false),
            ("https://i.example/a.jpg", false),
        ] {
            assert_eq!(is_signed(&WebUrl::parse(url).unwrap()), want, "{url}");
        }
    }
}
