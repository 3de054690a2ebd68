//! Whether a server's certificate is to be trusted, and why not, in words.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use crate::web::exchange::Fault;
use crate::web::time::Timestamp;

/// Checks certificates against the roots, or, when it is told to, lets all of them pass.
#[derive(Debug)]
pub(super) struct Judge {
    strict: Arc<WebPkiServerVerifier>,
    lenient: bool,
}

/// Why a certificate is refused; travels through rustls and out again.
#[derive(Debug)]
struct Distrust(String);

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Distrust {}

impl Judge {
    pub(super) fn new(strict: Arc<WebPkiServerVerifier>, lenient: bool) -> Judge {
        Judge { strict, lenient }
    }

    /// What is wrong with a chain that stands, though it was let through. A resumed session is judged as well.
    pub(super) fn distrust(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> Option<String> {
        let (first, rest) = chain.split_first().filter(|_| self.lenient)?;
        self.judge(first, rest, name, &[], UnixTime::now()).err()
    }

    fn judge(
        &self,
        first: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, String> {
        let verdict = self.strict.verify_server_cert(first, rest, name, ocsp, now);
        verdict.map_err(|cause| match cause {
            rustls::Error::InvalidCertificate(cause) => said(&cause, first, name),
            other => other.to_string(),
        })
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        first: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.judge(first, rest, name, ocsp, now) {
            Err(_) if self.lenient => Ok(ServerCertVerified::assertion()),
            Err(why) => Err(CertificateError::Other(OtherError(Arc::new(Distrust(why)))).into()),
            Ok(trusted) => Ok(trusted),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        first: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls12_signature(message, first, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        first: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls13_signature(message, first, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

/// The reason as a sentence behind «certificate:».
fn said(cause: &CertificateError, first: &CertificateDer<'_>, name: &ServerName<'_>) -> String {
    match cause {
        CertificateError::ExpiredContext { not_after, .. } => format!("expired on {}", day(*not_after)),
        CertificateError::Expired => "expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => format!("not valid before {}", day(*not_before)),
        CertificateError::NotValidYet => "not valid yet".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("not for {}", name.to_str())
        }
        // Its signature is wrong where it takes the name of a root for its own.
        CertificateError::UnknownIssuer | CertificateError::BadSignature if is_self_issued(first) == Some(true) => {
            "self-signed".to_owned()
        }
        CertificateError::UnknownIssuer => "its issuer is not known here".to_owned(),
        CertificateError::BadEncoding => "cannot be read".to_owned(),
        CertificateError::BadSignature => "its signature is wrong".to_owned(),
        CertificateError::Revoked => "revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "not meant for servers".to_owned()
        }
        // What webpki has no name of its own for: a certificate of an authority that a server shows as its own.
        other if other.to_string().contains("CaUsedAsEndEntity") => match is_self_issued(first) {
            Some(true) => "self-signed, as an authority's own".to_owned(),
            _ => "an authority's own, not a server's".to_owned(),
        },
        other => other.to_string(),
    }
}

fn day(at: UnixTime) -> String {
    let ms = i64::try_from(at.as_secs()).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
    let text = Timestamp(ms).iso();
    text.get(..10).unwrap_or(&text).to_owned()
}

/// Issuer and subject are the same (RFC 5280, 4.1): version, serial number, algorithm, issuer, validity, subject.
fn is_self_issued(certificate: &[u8]) -> Option<bool> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    let mut parts = Vec::new();
    while parts.len() < 5 {
        let (tag, content, after) = element(rest)?;
        rest = after;
        // The version is the one part that may be left out.
        if tag != 0xa0 {
            parts.push(content);
        }
    }
    Some(parts[2] == parts[4])
}

/// The first element of DER: tag, content, and what comes after (X.690, 8.1).
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// Why there is no TLS, in words.
pub(super) fn fault(cause: &io::Error) -> Fault {
    let Some(tls) = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return Fault::Tls(match cause.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
            kind => kind.to_string(),
        });
    };
    Fault::Tls(match tls {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
            return Fault::Certificate(why.to_string());
        }
        rustls::Error::InvalidCertificate(why) => return Fault::Certificate(why.to_string()),
        rustls::Error::NoCertificatesPresented => return Fault::Certificate("there is none".to_owned()),
        rustls::Error::InvalidMessage(_) => "what the server sends is not TLS".to_owned(),
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) | rustls::Error::PeerIncompatible(_) => {
            "the server has neither TLS 1.2 nor 1.3, or no cipher that we have".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server does not know this name".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a certificate of ours".to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("the server refused: {alert:?}"),
        other => other.to_string(),
    })
}
