//! HTTP/2 and TLS upstreams.

use super::bench::*;
use crate::request::RequestError;
use crate::upstream::UpstreamError;
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

/// Tells what arrived: version, target, host, client, body.
async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let host = parts.headers.get("host").map_or("-", |host| host.to_str().unwrap());
    let client = parts.headers["x-forwarded-for"].to_str().unwrap();
    let text = format!(
        "{:?} {} {} {host} {client} {}",
        parts.version,
        parts.method,
        parts.uri,
        String::from_utf8_lossy(&body)
    );
    Ok(Response::new(Full::new(Bytes::from(text))))
}

#[test]
fn cleartext_http2_with_prior_knowledge() {
    run(async {
        let upstream = scripted(|_, wire| async move {
            let server = http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(wire.stream), service_fn(echo)).await;
        })
        .await;
        let mut worker = Worker::new(&[upstream.port]);
        worker.settings.h2c = true;
        let many = (0..8).map(|_| worker.get("/x?y"));
        for (status, text) in join_all(many).await {
            assert_eq!((status, text.as_str()), (200, "HTTP/2.0 GET http://a.example/x?y - 192.0.2.1 "));
        }
        let answer = worker.send(request("POST", "/", full("hello"))).await.unwrap();
        assert_eq!(answer.version(), Version::HTTP_11);
        assert!(whole(answer).await.1.ends_with(" hello"));
        assert_eq!(upstream.connections.get(), 1, "one connection for all");
    });
}

/// All of them at once; small, so that no crate is needed for it.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *output = Some(ready),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    running.into_iter().map(|(_, output)| output.unwrap()).collect()
}

/// An https upstream with its own CA, in a file.
async fn https(protocols: &[&str]) -> (Scripted, NamedTempFile) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let mut ca = NamedTempFile::new().unwrap();
    ca.write_all(cert.pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let upstream = scripted(move |_, wire| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(wire.stream).await else {
                return;
            };
            let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let io = TokioIo::new(stream);
            if h2 {
                let _ =
                    http2::Builder::new(TokioExecutor::new()).serve_connection(io, service_fn(echo)).await;
            } else {
                let _ = http1::Builder::new().serve_connection(io, service_fn(echo)).await;
            }
        }
    })
    .await;
    (upstream, ca)
}

#[test]
fn https_by_what_alpn_agrees_on() {
    run(async {
        for (protocols, wanted) in [
            (&["h2", "http/1.1"][..], "HTTP/2.0 GET https://a.example/ - 192.0.2.1 "),
            (&["http/1.1"], "HTTP/1.1 GET / a.example 192.0.2.1 "),
            (&[], "HTTP/1.1 GET / a.example 192.0.2.1 "),
        ] {
            for host in ["127.0.0.1", "localhost"] {
                let (upstream, ca) = https(protocols).await;
                let mut worker = Worker::new(&[]);
                worker.settings.urls = vec![url(true, host, upstream.port)];
                worker.settings.ca = Some(ca.path().to_owned());
                for _ in 0..2 {
                    assert_eq!(worker.get("/").await, (200, wanted.to_owned()));
                }
                assert_eq!(upstream.connections.get(), 1);
            }
        }
    });
}

#[test]
fn certificates_are_verified() {
    run(async {
        let (upstream, _) = https(&["http/1.1"]).await;
        let (_, other_ca) = https(&[]).await;
        let mut worker = Worker::new(&[]);
        worker.settings.urls = vec![url(true, "127.0.0.1", upstream.port)];
        worker.settings.ca = Some(other_ca.path().to_owned());
        let answer = worker.send(request("GET", "/", empty())).await;
        assert!(matches!(answer, Err(UpstreamError::Tls { .. })), "{answer:?}");

        worker.settings.ca = Some("/nowhere/ca.pem".into());
        let answer = worker.send(request("GET", "/", empty())).await;
        assert!(matches!(answer, Err(UpstreamError::Roots { .. })), "{answer:?}");
    });
}

#[test]
fn a_shared_connection_that_ended_is_replaced() {
    run(async {
        let (end, ending) = tokio::sync::watch::channel(0);
        let (ended, mut has_ended) = tokio::sync::mpsc::unbounded_channel();
        let upstream = scripted(move |number, wire| {
            let (mut ending, ended) = (ending.clone(), ended.clone());
            async move {
                let server = http2::Builder::new(TokioExecutor::new());
                let connection = server.serve_connection(TokioIo::new(wire.stream), service_fn(echo));
                tokio::select! {
                    _ = connection => {}
                    _ = ending.wait_for(|&end| end >= number) => {}
                }
                let _ = ended.send(());
            }
        })
        .await;
        let mut worker = Worker::new(&[upstream.port]);
        worker.settings.h2c = true;
        worker.get("/").await;
        end.send(1).unwrap();
        has_ended.recv().await.unwrap();
        let answer = worker.send(request("GET", "/", empty())).await.unwrap();
        assert_eq!(whole(answer).await.0, 200);
        assert_eq!(upstream.connections.get(), 2);
    });
}

#[test]
fn the_clients_faults_are_told_apart_in_http2() {
    run(async {
        let upstream = scripted(|_, wire| async move {
            let server = http2::Builder::new(TokioExecutor::new());
            let pending = service_fn(|request: Request<Incoming>| async move {
                assert!(
                    request.into_body().collect().await.is_err(),
                    "upstream must not take it for complete"
                );
                std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
            });
            let _ = server.serve_connection(TokioIo::new(wire.stream), pending).await;
        })
        .await;
        let mut worker = Worker::new(&[upstream.port]);
        worker.settings.h2c = true;
        let (feed, body) = fed();
        let (answer, ()) = tokio::join!(worker.send(request("POST", "/", body)), async {
            feed.send(data("hello")).await.unwrap();
            feed.send(Err(RequestError::BodyAborted)).await.unwrap();
        });
        assert!(matches!(answer, Err(UpstreamError::Request(RequestError::BodyAborted))), "{answer:?}");
    });
}
