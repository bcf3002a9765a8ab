//! A stand-in identity server for the demo: as much of one as a tour needs, on a free port of the loopback interface.
//!
//! It believes everybody: the gateway in front is what is shown. Not for anything else.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The one API key that it knows.
pub(super) const API_KEY: &str = "demo-key-3f9c1b7a";

/// Starts it on the runtime of the caller.
///
/// # Errors
/// No port is free.
pub(super) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        // A failed accept, for want of file descriptors, ends the demo's upstream and nothing else.
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request)));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                // The other end went away.
                let _ = connection.await;
            });
        }
    });
    Ok(address)
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let key = request.headers().get(header::AUTHORIZATION);
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/oauth2/token") => {
            let token = r#"{"access_token":"demo","token_type":"Bearer","expires_in":3600}"#;
            respond(StatusCode::OK, "application/json", token)
        }
        (_, path) if path.starts_with("/oauth2/") => {
            respond(StatusCode::OK, "text/html", "<h1>Sign in</h1>\n")
        }
        (_, path) if path.starts_with("/api/") => match key {
            Some(key) if key == API_KEY => {
                respond(StatusCode::OK, "application/json", r#"{"user":{"email":"a@b.c"}}"#)
            }
            Some(_) | None => empty(StatusCode::UNAUTHORIZED),
        },
        (_, path) if path.starts_with("/admin/") => respond(StatusCode::OK, "text/html", "<h1>Admin</h1>\n"),
        _ => empty(StatusCode::NOT_FOUND),
    }
}

fn respond(status: StatusCode, media_type: &'static str, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = empty(status);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    *response.body_mut() = Full::from(body);
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
