//! `tls = { certificate, private_key }`, or several of them by server name. The files are read, so that a missing or
//! mismatched one is known before a listener depends on it.

use crate::config::settings::{CertificateFiles, TlsSettings};
use crate::policy::Files;
use crate::policy::document::reader::{At, Section, Value, wrong_type};
use crate::policy::finding::{Code, Report};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use toml::de::DeValue;

/// The value of a `tls` key. `None` only if it was reported.
pub(super) fn tls(value: Value<'_>, files: &dyn Files, report: &mut Report<'_>) -> Option<TlsSettings> {
    match value.value {
        DeValue::Table(table) => {
            let mut section = Section::new("tls", table, value.span);
            let settings = one_table(&mut section, files, report);
            section.finish(report);
            settings
        }
        DeValue::Array(_) => {
            let certificates = certificate_list(value, files, report)?;
            Some(TlsSettings { certificates, client_ca: None })
        }
        _ => wrong_type(
            report,
            value,
            "tls",
            "`{ certificate = \"…\", private_key = \"…\" }`, or a list of these",
        ),
    }
}

fn one_table(section: &mut Section<'_>, files: &dyn Files, report: &mut Report<'_>) -> Option<TlsSettings> {
    let client_ca = section.filled(report, "client_ca").and_then(|path| authority(path, files, report));
    let several = section.value(report, "certificates");
    let single = ["certificate", "private_key"].map(|key| section.value(report, key));
    let certificates = match several {
        Some(several) if single.iter().any(Option::is_some) => {
            let span = section.key_span("certificates").unwrap_or(several.span);
            let finding = report.add(Code::Conflict, span, "`tls.certificates` beside a single certificate");
            finding.label("expected one of them");
            return None;
        }
        Some(several) => certificate_list(several, files, report)?,
        None => vec![certificate(section, files, report)?],
    };
    Some(TlsSettings { certificates, client_ca })
}

fn certificate_list(
    value: Value<'_>,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> Option<Vec<CertificateFiles>> {
    let DeValue::Array(items) = value.value else {
        return wrong_type(report, value, "tls.certificates", "a list of tables");
    };
    if items.is_empty() {
        report.add(Code::Empty, value.span, "no certificate at all").label("expected at least one");
        return None;
    }
    let mut certificates = Vec::new();
    for item in items.iter() {
        let item = At { value: item.get_ref(), span: item.span().into() };
        match item.value {
            DeValue::Table(table) => {
                let mut section = Section::new("tls", table, item.span);
                certificates.extend(certificate(&mut section, files, report));
                section.finish(report);
            }
            _ => {
                wrong_type::<()>(
                    report,
                    item,
                    "an item of `tls`",
                    "`{ certificate = \"…\", private_key = \"…\" }`",
                );
            }
        }
    }
    Some(certificates)
}

fn certificate(
    section: &mut Section<'_>,
    files: &dyn Files,
    report: &mut Report<'_>,
) -> Option<CertificateFiles> {
    let certificate = section.filled(report, "certificate");
    let private_key = section.filled(report, "private_key");
    for key in ["certificate", "private_key"] {
        if !section.has(key) {
            section.missing(report, key, "the path of a PEM file");
        }
    }
    let (certificate, private_key) = (certificate?, private_key?);
    let chain = chain(certificate, files, report);
    let key = key(private_key, files, report);
    if let (Some(chain), Some(key)) = (chain, key) {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        if let Err(error) = CertifiedKey::from_der(chain, key, &provider) {
            let message = match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!("`{}` is not the key of `{}`", private_key.value, certificate.value)
                }
                other => format!("`{}` and its key cannot be used: {other}", certificate.value),
            };
            report
                .add(Code::BadCertificate, private_key.span, message)
                .label("expected the certificate's key");
        }
    }
    let (certificate, private_key) = (files.resolve(certificate.value), files.resolve(private_key.value));
    Some(CertificateFiles { certificate, private_key })
}

fn chain(path: At<&str>, files: &dyn Files, report: &mut Report<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let pem = read(path, files, report)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Some(chain),
        _ => {
            let message = format!("`{}` holds no certificate", path.value);
            report
                .add(Code::BadCertificate, path.span, message)
                .label("expected a PEM file with a certificate");
            None
        }
    }
}

fn key(path: At<&str>, files: &dyn Files, report: &mut Report<'_>) -> Option<PrivateKeyDer<'static>> {
    let pem = read(path, files, report)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).ok();
    if key.is_some() && files.readable_by_all(path.value) {
        let message = format!("every user of this machine can read the private key `{}`", path.value);
        report
            .add(Code::ExposedKey, path.span, message)
            .label("open to all")
            .hint("`chmod 640` or `600` closes it");
    }
    if key.is_none() {
        let message = format!("`{}` holds no private key", path.value);
        let finding = report.add(Code::BadCertificate, path.span, message);
        finding.label("expected a PEM file with an unencrypted private key");
    }
    key
}

/// A file with CA certificates.
pub(super) fn authority(path: At<&str>, files: &dyn Files, report: &mut Report<'_>) -> Option<PathBuf> {
    chain(path, files, report).map(|_| files.resolve(path.value))
}

pub(super) fn read(path: At<&str>, files: &dyn Files, report: &mut Report<'_>) -> Option<Vec<u8>> {
    match files.read(path.value) {
        Ok(content) => Some(content),
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", path.value);
            report.add(Code::BadFile, path.span, message).label("expected a file, relative to this one");
            None
        }
    }
}
