//! TLS: protocols, certificates by name, client certificates, resumption.

use super::{Running, Setup};
use crate::config::{CertificateFiles, TlsSettings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn certificate(folder: &Path, name: &str) -> CertificateFiles {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let file = |ending: &str| folder.join(format!("{}.{ending}", name.replace('*', "any")));
    let files = CertificateFiles { certificate: file("crt"), private_key: file("key") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.private_key, made.signing_key.serialize_pem()).unwrap();
    files
}

fn settings(folder: &TempDir, names: &[&str]) -> TlsSettings {
    let certificates = names.iter().map(|name| certificate(folder.path(), name)).collect();
    TlsSettings { certificates, client_ca: None }
}

/// A client that trusts these certificates, and has the first one itself if `identify`.
fn client(tls: &TlsSettings, alpn: &[&[u8]], identify: bool) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for files in &tls.certificates {
        roots.add(CertificateDer::from_pem_file(&files.certificate).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let files = &tls.certificates[0];
    let mut config = if identify {
        let chain = vec![CertificateDer::from_pem_file(&files.certificate).unwrap()];
        builder
            .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&files.private_key).unwrap())
            .unwrap()
    } else {
        builder.with_no_client_auth()
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

async fn connect(
    server: &Running,
    config: &ClientConfig,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config.clone())).connect(name, server.connect().await).await
}

async fn get(mut stream: TlsStream<TcpStream>) -> std::io::Result<String> {
    stream.write_all(b"GET /peer HTTP/1.1\r\nConnection: close\r\n\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

#[tokio::test]
async fn alpn_chooses_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let tls = settings(&folder, &["a.example"]);
    let server = Setup { tls: Some(tls.clone()), ..Setup::default() }.start();
    for alpn in [&[][..], &[&b"http/1.1"[..]]] {
        let stream = connect(&server, &client(&tls, alpn, false), "a.example").await.unwrap();
        let text = get(stream).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("Https"), "{text}");
    }
    let mut stream =
        connect(&server, &client(&tls, &[b"h2", b"http/1.1"], false), "a.example").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "the server's SETTINGS");
    assert!(connect(&server, &client(&tls, &[b"spdy"], false), "a.example").await.is_err());
    // Cleartext at a TLS port is no request.
    server.talk("GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(server.seen().len(), 2);
    assert_eq!(server.world.counters.tls_handshakes.load(Relaxed), 3);
    // Counted just behind the alert that the client has seen.
    let counted = async {
        while server.world.counters.tls_failures.load(Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), counted).await.expect("two failures");
}

#[tokio::test]
async fn the_name_chooses_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let tls = settings(&folder, &["a.example", "*.b.example"]);
    let server = Setup { tls: Some(tls.clone()), ..Setup::default() }.start();
    let leaf = |index: usize| CertificateDer::from_pem_file(&tls.certificates[index].certificate).unwrap();
    let config = client(&tls, &[], false);
    for (name, index) in [("a.example", 0), ("x.b.example", 1), ("y.b.example", 1)] {
        let stream = connect(&server, &config, name).await.unwrap();
        assert_eq!(stream.get_ref().1.peer_certificates().unwrap()[0], leaf(index), "{name}");
    }
    let unknown = connect(&server, &config, "c.example").await.err().unwrap().to_string();
    assert!(unknown.contains("AccessDenied"), "the server refuses, not the client: {unknown}");
    // Without a name (addresses are not sent) the client gets the first, and finds that it does not fit.
    let nameless = connect(&server, &config, "127.0.0.1").await.err().unwrap().to_string();
    assert!(nameless.contains("certificate"), "{nameless}");
}

#[tokio::test]
async fn client_certificates_are_asked_for_where_configured() {
    let folder = tempfile::tempdir().unwrap();
    let mut tls = settings(&folder, &["a.example"]);
    tls.client_ca = Some(tls.certificates[0].certificate.clone());
    let server = Setup { tls: Some(tls.clone()), ..Setup::default() }.start();
    let anonymous = connect(&server, &client(&tls, &[], false), "a.example").await;
    let answer = match anonymous {
        Ok(stream) => get(stream).await,
        Err(error) => Err(error),
    };
    assert!(answer.is_err());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn sessions_are_resumed_and_never_across_listeners() {
    let folder = tempfile::tempdir().unwrap();
    let tls = settings(&folder, &["a.example"]);
    let first = Setup { tls: Some(tls.clone()), ..Setup::default() }.start();
    let second = Setup { tls: Some(tls.clone()), ..Setup::default() }.start();
    let config = client(&tls, &[], false);
    let mut kinds = Vec::new();
    for server in [&first, &first, &second] {
        let mut stream = connect(server, &config, "a.example").await.unwrap();
        stream.write_all(b"GET /peer HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        kinds.push(stream.get_ref().1.handshake_kind().unwrap());
    }
    use rustls::HandshakeKind::{Full, Resumed};
    assert!(matches!(kinds[..], [Full, Resumed, Full]), "{kinds:?}");
}
