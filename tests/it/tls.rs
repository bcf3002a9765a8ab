//! TLS as a whole gateway speaks it: client certificates, resumption between listeners, the management listener.

use crate::harness::{Gateway, Upstream};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

/// A CA and what it has issued.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pem = certificate.pem();
        Self { certificate: certificate.der().clone(), pem, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Identity { certificate, key: PrivateKeyDer::try_from(key.serialize_der()).unwrap() }
    }
}

/// The files that the configurations below name: the server's, and `clients.crt`.
fn write_files(folder: &Path, server: &Authority, clients: &Authority) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["idp.example".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &server.issuer).unwrap();
    std::fs::write(folder.join("tls.crt"), certificate.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("clients.crt"), &clients.pem).unwrap();
}

fn client(server: &Authority, identity: Option<Identity>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(server.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.unwrap().with_root_certificates(roots);
    Arc::new(match identity {
        Some(Identity { certificate, key }) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => builder.with_no_client_auth(),
    })
}

/// One request on a connection of its own: the answer, and how the handshake went.
fn get(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    target: &str,
) -> std::io::Result<(String, HandshakeKind)> {
    let name = ServerName::try_from("idp.example").unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address)?);
    stream.write_all(
        format!("GET {target} HTTP/1.1\r\nHost: idp.example\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let kind = stream.conn.handshake_kind().unwrap();
    if answer.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok((answer, kind)) }
}

#[test]
fn client_certificates_and_sessions_hold_where_they_were_made() {
    let (server, clients, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let upstream = Upstream::start();
    let gateway = Gateway::start_in(|folder| {
        write_files(folder, &server, &clients);
        let tls = "certificate = 'tls.crt', private_key = 'tls.key'";
        format!(
            "[server]\nlisten = [\n  {{ address = '127.0.0.1:0', tls = {{ {tls} }} }},\n  \
             {{ address = '127.0.0.1:0', tls = {{ {tls}, client_ca = 'clients.crt' }} }},\n]\n\
             [upstream]\nurl = 'http://{}'\n",
            upstream.address
        )
    });
    let [open, closed] = *gateway.running().addresses() else { panic!("two listeners") };
    let ask = |address, config: &Arc<ClientConfig>| get(address, config, "/x").map(|(_, kind)| kind);

    let anybody = client(&server, None);
    assert!(matches!(ask(open, &anybody), Ok(HandshakeKind::Full)));
    assert!(matches!(ask(open, &anybody), Ok(HandshakeKind::Resumed)), "at the same listener");
    let reached = upstream.received().len();
    assert!(ask(closed, &anybody).is_err(), "a session of the open listener is no certificate");
    let anonymous = client(&server, None);
    let foreign = client(&server, Some(stranger.issue("mallory")));
    for config in [&anonymous, &foreign] {
        assert!(ask(closed, config).is_err());
    }
    assert_eq!(upstream.received().len(), reached);

    let known = client(&server, Some(clients.issue("alice")));
    assert!(matches!(ask(closed, &known), Ok(HandshakeKind::Full)));
    assert!(matches!(ask(closed, &known), Ok(HandshakeKind::Resumed)));
    assert!(matches!(ask(open, &known), Ok(HandshakeKind::Full)), "nor the other way round");
}

#[test]
fn the_management_listener_has_tls_of_its_own() {
    let (server, clients) = (Authority::new(), Authority::new());
    let gateway = Gateway::start_in(|folder| {
        write_files(folder, &server, &clients);
        "[server]\nlisten = ['127.0.0.1:0']\n[upstream]\nurl = 'http://127.0.0.1:1'\n[admin]\nlisten = '127.0.0.1:0'\napi_keys = [{ name = 'ops', sha256 = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b' }]\n\
         tls = { certificate = 'tls.crt', private_key = 'tls.key', client_ca = 'clients.crt' }\n"
            .to_owned()
    });
    let address = gateway.running().admin_address().unwrap();
    assert!(get(address, &client(&server, None), "/healthz").is_err());
    let stranger = Authority::new();
    assert!(get(address, &client(&server, Some(stranger.issue("mallory"))), "/healthz").is_err());
    let (answer, _) = get(address, &client(&server, Some(clients.issue("alice"))), "/healthz").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (answer, _) = get(address, &client(&server, Some(clients.issue("bob"))), "/api/ip-acl").unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "a certificate is no key: {answer}");
    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // Closed, perhaps with an alert.
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"));
}
