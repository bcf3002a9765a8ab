//! Sends one request and gives the status of the answer.

use crate::explain::Question;
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Sends the request of a question as it is.
///
/// # Errors
/// The gateway cannot be reached or breaks off.
pub(super) async fn send(gateway: SocketAddr, question: &Question) -> io::Result<u16> {
    let stream = TcpStream::connect(gateway).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(async move {
        // The answer says whether it went well.
        let _ = connection.await;
    });
    let mut request = Request::new(Full::<Bytes>::new(question.body.clone()));
    *request.method_mut() = question.method.clone();
    *request.uri_mut() = question.target.clone();
    *request.headers_mut() = question.headers.clone();
    if !request.headers().contains_key(header::HOST) {
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
    }
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    response.into_body().collect().await.map_err(io::Error::other)?;
    Ok(status)
}
