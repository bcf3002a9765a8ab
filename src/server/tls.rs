//! TLS of a listener: certificates by server name, client certificates if asked for, reload.
//!
//! TLS 1.2 and 1.3 with rustls and aws-lc-rs, ALPN `h2` and `http/1.1`, no early data: an address is believed only once
//! the handshake is done. Session tickets and stored sessions belong to one configuration of one listener: a session can
//! be resumed neither at another listener nor across a reload, so that none outlives a change of `client_ca`.
//!
//! Choice of the certificate: with a single one, that one, whatever name the client sends. With several, the first that
//! covers the name; a client that sends no name gets the first of all; a name that none covers ends the handshake
//! (sending a certificate that the client must refuse would only hide the error).
//!
//! A reload that fails leaves the old configuration in place. Keys never get into errors or logs.

use crate::config::{CertificateFiles, TlsSettings};
use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoClientAuth, ParsedCertificate, ResolvesServerCert, ServerSessionMemoryCache,
    VerifierBuilderError, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sessions that a listener remembers for clients without tickets.
const SESSIONS: usize = 1024;

/// Why TLS cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, unreadable, or not PEM.
    #[error("cannot read `{file}`: {source}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A file without what it should hold.
    #[error("`{file}` holds no {wanted} in PEM form")]
    Empty {
        /// The file.
        file: PathBuf,
        /// What was looked for.
        wanted: &'static str,
    },
    /// Certificate and key do not belong together, or rustls does not support them.
    #[error("certificate `{certificate}` and key `{private_key}` cannot be used together: {source}")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The CA of client certificates cannot be used.
    #[error("client CA `{file}` cannot be used: {source}")]
    ClientCa {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: VerifierBuilderError,
    },
    /// rustls refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    Refused(#[from] rustls::Error),
}

/// TLS of one listener, replaceable while it runs.
#[derive(Debug)]
pub struct TlsHandle {
    current: ArcSwap<ServerConfig>,
}

impl TlsHandle {
    /// Reads the files. Blocking.
    ///
    /// # Errors
    /// [`TlsError`] names the file at fault.
    pub fn load(settings: &TlsSettings) -> Result<Self, TlsError> {
        Ok(Self { current: ArcSwap::from_pointee(configuration(settings)?) })
    }

    /// Reads the files again, for handshakes from now on. Blocking.
    ///
    /// # Errors
    /// [`TlsError`] names the file at fault; the old configuration stays in place.
    pub fn reload(&self, settings: &TlsSettings) -> Result<(), TlsError> {
        self.current.store(Arc::new(configuration(settings)?));
        Ok(())
    }

    /// What the next handshake uses.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }
}

#[derive(Debug)]
struct ByName(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let (Some(name), true) = (hello.server_name(), self.0.len() > 1) else {
            return self.0.first().cloned();
        };
        let name = ServerName::try_from(name).ok()?;
        self.0.iter().find(|certificate| covers(certificate, &name)).cloned()
    }
}

fn covers(certificate: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let Some(leaf) = certificate.cert.first() else { return false };
    ParsedCertificate::try_from(leaf).is_ok_and(|leaf| verify_server_name(&leaf, name).is_ok())
}

fn configuration(settings: &TlsSettings) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certificates: Result<_, _> =
        settings.certificates.iter().map(|files| read(files, &provider)).collect();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(client_verifier(settings.client_ca.as_deref(), provider)?)
        .with_cert_resolver(Arc::new(ByName(certificates?)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.max_early_data_size = 0;
    // All suites are strong; an order of our own is what scanners ask for.
    config.ignore_client_order = true;
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}

fn client_verifier(
    ca: Option<&Path>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(file) = ca else { return Ok(Arc::new(NoClientAuth)) };
    let mut roots = RootCertStore::empty();
    for certificate in chain(file)? {
        roots.add(certificate)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    match verifier {
        Ok(verifier) => Ok(verifier),
        Err(source) => Err(TlsError::ClientCa { file: file.into(), source }),
    }
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { file: file.into(), source };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect();
    let chain = chain.map_err(unreadable)?;
    if chain.is_empty() {
        return Err(TlsError::Empty { file: file.into(), wanted: "certificate" });
    }
    Ok(chain)
}

fn read(files: &CertificateFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = chain(&files.certificate)?;
    let file = &files.private_key;
    let key = PrivateKeyDer::from_pem_file(file).map_err(|source| match source {
        pem::Error::NoItemsFound => TlsError::Empty { file: file.clone(), wanted: "private key" },
        source => TlsError::Unreadable { file: file.clone(), source },
    })?;
    let certified = CertifiedKey::from_der(chain, key, provider);
    certified.map(Arc::new).map_err(|source| TlsError::Unusable {
        certificate: files.certificate.clone(),
        private_key: file.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) -> CertificateFiles {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let files = CertificateFiles {
            certificate: folder.join(format!("{name}.crt")),
            private_key: folder.join(format!("{name}.key")),
        };
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.private_key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    fn settings(certificates: Vec<CertificateFiles>) -> TlsSettings {
        TlsSettings { certificates, client_ca: None }
    }

    #[test]
    fn every_fault_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (write(folder.path(), "a.example"), write(folder.path(), "b.example"));
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "").unwrap();
        let missing = folder.path().join("missing");
        let with = |certificate: &Path, private_key: &Path| CertificateFiles {
            certificate: certificate.into(),
            private_key: private_key.into(),
        };
        let cases = [
            (with(&missing, &a.private_key), "missing"),
            (with(&a.certificate, &missing), "missing"),
            (with(&empty, &a.private_key), "no certificate in PEM form"),
            (with(&a.certificate, &empty), "no private key in PEM form"),
            (with(&a.certificate, &a.certificate), "no private key in PEM form"),
            (with(&a.certificate, &b.private_key), "cannot be used together"),
        ];
        for (files, words) in cases {
            let error = TlsHandle::load(&settings(vec![files])).err().unwrap().to_string();
            assert!(error.contains(words), "{error}");
            assert!(error.contains(&*folder.path().to_string_lossy()), "{error}");
        }
        let mut bad_ca = settings(vec![a]);
        bad_ca.client_ca = Some(empty);
        assert!(TlsHandle::load(&bad_ca).is_err());
    }

    #[test]
    fn a_failed_reload_keeps_the_old_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "a.example");
        let settings = settings(vec![files.clone()]);
        let handle = TlsHandle::load(&settings).unwrap();
        let before = handle.current();
        std::fs::write(&files.private_key, "nonsense").unwrap();
        assert!(handle.reload(&settings).is_err());
        assert!(Arc::ptr_eq(&before, &handle.current()));
        write(folder.path(), "a.example");
        handle.reload(&settings).unwrap();
        assert!(!Arc::ptr_eq(&before, &handle.current()));
        assert_eq!(handle.current().max_early_data_size, 0);
    }
}
