//! What of the files behind a configuration grows old: certificates, and lists that somebody should keep up.
//!
//! In: settings and policy as they were loaded, and where their files are. Out: [`AgeingFiles`], for the metrics. Only
//! looked at, never judged: an expired certificate is put in force like any other.
//!
//! A chain is as old as its first certificate to expire. A CA file is as old as its last one: old and new CA stand
//! side by side in it while one replaces the other, and only when none is left does nobody get in.

use crate::config::{Config, TlsSettings};
use crate::policy::{Files, Policy};
use crate::telemetry::metrics::{AgeingFiles, CertificateExpiry, CertificateUse};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::time::SystemTime;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Reads the certificates again, and the times of the lists. Blocks.
pub(super) fn ageing_files(config: &Config, policy: &Policy, files: &dyn Files) -> AgeingFiles {
    let mut certificates = Vec::new();
    let listeners = config.server.listen.iter().filter_map(|listener| listener.tls.as_ref());
    let admin = config.admin.iter().filter_map(|admin| admin.tls.as_ref());
    let served = listeners.map(|tls| (CertificateUse::Server, tls));
    for (used_for, tls) in served.chain(admin.map(|tls| (CertificateUse::Admin, tls))) {
        add_listener(&mut certificates, used_for, tls);
    }
    add(&mut certificates, CertificateUse::UpstreamCa, config.upstream.ca.as_deref());
    let names = policy.parts().files.iter().skip(1);
    let lists = names.filter_map(|name| Some((name.to_string(), modified(&files.resolve(name))?))).collect();
    AgeingFiles { certificates, lists }
}

fn add_listener(all: &mut Vec<CertificateExpiry>, used_for: CertificateUse, tls: &TlsSettings) {
    for files in &tls.certificates {
        add(all, used_for, Some(&files.certificate));
    }
    add(all, CertificateUse::ClientCa, tls.client_ca.as_deref());
}

/// A file that several listeners share is one.
fn add(all: &mut Vec<CertificateExpiry>, used_for: CertificateUse, file: Option<&Path>) {
    let Some((file, at)) = file.and_then(|file| Some((file.display().to_string(), expiry(file, used_for)?)))
    else {
        return;
    };
    let expiry = CertificateExpiry { file, used_for, at };
    if !all.contains(&expiry) {
        all.push(expiry);
    }
}

/// `None` where nothing can be read: the loader has judged the file already.
fn expiry(file: &Path, used_for: CertificateUse) -> Option<SystemTime> {
    let ends = CertificateDer::pem_file_iter(file).ok()?.filter_map(|der| end(&der.ok()?));
    match used_for {
        CertificateUse::Server | CertificateUse::Admin => ends.min(),
        CertificateUse::ClientCa | CertificateUse::UpstreamCa => ends.max(),
    }
}

fn end(der: &[u8]) -> Option<SystemTime> {
    let certificate = Certificate::from_der(der).ok()?;
    Some(certificate.tbs_certificate().validity().not_after.to_system_time())
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Loader;
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use std::time::Duration;

    /// A certificate that ends with this year, and its key.
    fn certificate(year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["acme.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 12, 31);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn year(year: i32) -> SystemTime {
        date_time_ymd(year, 12, 31).into()
    }

    #[test]
    fn every_certificate_and_list_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let ((leaf, key), (early, _), (late, _)) = (certificate(2090), certificate(2070), certificate(2110));
        let chain = write("tls.crt", &format!("{leaf}{early}{late}"));
        write("tls.key", &key);
        let ca = write("ca.crt", &format!("{early}{late}{leaf}"));
        let list = std::fs::File::create(directory.path().join("a.netset")).unwrap();
        std::io::Write::write_all(&mut &list, b"192.0.2.1\n").unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        list.set_modified(at).unwrap();
        let hash = "0".repeat(64);
        let file = write(
            "gateway.toml",
            &format!(
                r#"
[server]
listen = ["127.0.0.1:0", "127.0.0.2:0"]
tls = {{ certificate = "tls.crt", private_key = "tls.key", client_ca = "ca.crt" }}
[upstream]
url = "https://localhost"
ca = "ca.crt"
[admin]
listen = "127.0.0.1:0"
tls = {{ certificate = "tls.crt", private_key = "tls.key" }}
api_keys = [{{ name = "ops", sha256 = "{hash}" }}]
[[ip_acl]]
name = "a"
default = "block"
allow_files = ["a.netset"]
"#
            ),
        );
        let ageing = Loader::new(file).load().unwrap_or_else(|error| panic!("{error}")).ageing;
        let expiry = |file: &Path, used_for, at| CertificateExpiry {
            file: file.display().to_string(),
            used_for,
            at: year(at),
        };
        let expected = [
            expiry(&chain, CertificateUse::Server, 2070),
            expiry(&ca, CertificateUse::ClientCa, 2110),
            expiry(&chain, CertificateUse::Admin, 2070),
            expiry(&ca, CertificateUse::UpstreamCa, 2110),
        ];
        assert_eq!(ageing.certificates, expected);
        assert_eq!(ageing.lists, [("a.netset".to_owned(), at)]);
    }

    #[test]
    fn what_is_no_certificate_is_left_out() {
        assert_eq!(end(b"nonsense"), None);
        assert_eq!(expiry(Path::new("/nonexistent"), CertificateUse::Server), None);
    }
}
