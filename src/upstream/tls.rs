//! TLS towards https upstreams: roots from the system or from `[upstream] ca`, in → client configurations out.
//!
//! Read once for each worker and CA file, aside from the worker's thread. Certificates are always verified; there is
//! deliberately no switch to turn that off.

use super::error::UpstreamError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The configurations of one worker.
#[derive(Clone, Debug)]
pub(super) struct ClientTls {
    /// Offers HTTP/2 and HTTP/1.1.
    pub(super) any: Arc<ClientConfig>,
    /// Offers HTTP/1.1 alone: a WebSocket needs it.
    pub(super) http1: Arc<ClientConfig>,
}

impl ClientTls {
    /// Reads the roots and builds the configurations.
    ///
    /// # Errors
    /// [`UpstreamError::Roots`].
    pub(super) async fn load(ca: Option<&PathBuf>) -> Result<Self, UpstreamError> {
        let path = ca.cloned();
        let read = tokio::task::spawn_blocking(move || build(path.as_deref())).await;
        read.map_err(io::Error::other)
            .and_then(|built| built)
            .map_err(|source| UpstreamError::Roots { path: ca.cloned(), source })
    }
}

fn build(ca: Option<&Path>) -> io::Result<ClientTls> {
    let mut http1 = client_tls(ca)?;
    http1.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut any = http1.clone();
    any.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(ClientTls { any: Arc::new(any), http1: Arc::new(http1) })
}

/// A client's TLS that trusts the certificates of this file, or those that the system trusts. Blocks.
///
/// # Errors
/// There is no such file, or no certificate.
pub(super) fn client_tls(ca: Option<&Path>) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
                roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
            }
        }
        None => {
            // Systems ship the odd root that rustls does not take; the others do.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no certificate found"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth())
}
