//! Addresses that are good for a while only: signed ones, with the instant at which they expire. They are asked for
//! first.

use super::url::WebUrl;

/// Names of query parameters, in lower case; an address that has all of a row expires.
const SIGNED: &[&[&str]] = &[
    // Amazon S3 and what speaks like it: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    &["x-amz-expires", "x-amz-signature"],
    // S3 before 2014, CloudFront, Aliyun OSS: https://help.aliyun.com/document_detail/31952.html
    &["expires", "signature"],
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
    // Picture hosts of portals in Chinese, as their pages print it.
    &["sec", "t"],
    // Discord's attachments since 2023.
    &["ex", "is", "hm"],
    // Aliyun's CDN, authentication by key: https://help.aliyun.com/document_detail/85117.html
    &["auth_key"],
    // Fastly, bunny.net and others by a token and its end: https://docs.bunny.net/docs/cdn-token-authentication
    &["token", "expires"],
];

/// Whether this address says that it expires.
pub fn expires(url: &WebUrl) -> bool {
    let Some((_, query)) = url.as_str().split_once('?') else { return false };
    let names: Vec<String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_ascii_lowercase()).collect();
    SIGNED.iter().any(|row| row.iter().all(|name| names.iter().any(|known| known == name)))
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
            ("https://i.example/a.jpg?t=1635214000", false),
            ("https://i.example/a.jpg?expires=never", false),
            ("https://i.example/a.jpg", false),
        ] {
            assert_eq!(expires(&WebUrl::parse(url).unwrap()), want, "{url}");
        }
    }
}
