//! The task of a stream: a request to the handler, and its response to the client (RFC 9113 §8.1).

use super::hpack;
use super::incoming::Upload;
use super::stream::{Gone, OpenStream};
use crate::http1::{FieldLines, Lined, mentions};
use crate::request::{FieldName, RequestBody, RequestError, RequestHead};
use crate::server::connection::Client;
use crate::server::{Handler, date};
use bytes::{Buf, Bytes};
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderMap, Response, StatusCode, response};
use http_body::Body;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// What is kept of the worker's room for blocks.
const KEPT: usize = 16 * 1024;

thread_local! {
    /// Where header blocks are made.
    static BLOCK: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Answers a request, or why there is none, and whether it was HEAD. Ends early if the client resets the stream.
pub(super) async fn respond<H: Handler>(
    client: Rc<Client<H>>,
    open: OpenStream,
    request: (Result<Box<RequestHead>, RequestError>, bool),
) {
    let mut exchange = pin!(exchange(&client, &open, request));
    poll_fn(|context| match open.poll_gone(context) {
        Poll::Ready(()) => Poll::Ready(Err(Gone)),
        Poll::Pending => exchange.as_mut().poll(context),
    })
    .await
    // What is not answered is reset when it is dropped.
    .unwrap_or_default();
}

async fn exchange<H: Handler>(
    client: &Client<H>,
    open: &OpenStream,
    (request, is_head): (Result<Box<RequestHead>, RequestError>, bool),
) -> Result<(), Gone> {
    let response = match request {
        Err(error) => client.handler.refuse(error, &client.connection),
        Ok(head) => {
            let body = body(open, &head);
            client.handler.handle(head, body, &client.connection).await
        }
    };
    send(open, response, is_head).await
}

fn body(open: &OpenStream, head: &RequestHead) -> RequestBody {
    if open.stream.incoming.borrow().is_over() {
        return RequestBody::default();
    }
    let expects = head.fields.all(FieldName::Expect).any(|value| mentions(value, b"100-continue"));
    RequestBody::wrapped(Upload::of(open, expects))
}

async fn send<B>(open: &OpenStream, response: Response<B>, is_head: bool) -> Result<(), Gone>
where
    B: Body<Data = Bytes> + Lined,
{
    let (parts, mut body) = response.into_parts();
    let lines = body.take_lines().unwrap_or_default();
    let bodiless = is_head || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let known = if bodiless { None } else { body.size_hint().exact() };
    poll_fn(|_| open.poll_turn()).await;
    let length = with_block(|block| {
        open.streams.begin_block(block);
        let length = write_head(block, (&parts, &lines), known);
        let is_empty = bodiless || (body.is_end_stream() && length.is_none_or(|length| length == 0));
        open.block(block, is_empty);
        length
    });
    if open.stream.is_answered() { Ok(()) } else { send_body(open, body, length).await }
}

/// Frames of a body until its end. One that does not keep to its length is not ended.
async fn send_body<B: Body<Data = Bytes>>(
    open: &OpenStream,
    body: B,
    mut left: Option<u64>,
) -> Result<(), Gone> {
    let mut body = pin!(body);
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let mut piece = match frame.map_err(|_| Gone)?.into_data() {
            Ok(piece) => piece,
            Err(other) if left.unwrap_or(0) == 0 => {
                trailers(open, &other.into_trailers().unwrap_or_default());
                return Ok(());
            }
            Err(_) => return Err(Gone),
        };
        if let Some(left) = &mut left {
            *left = left.checked_sub(piece.len() as u64).ok_or(Gone)?;
        }
        let is_last = body.is_end_stream() && left.unwrap_or(0) == 0;
        while !piece.is_empty() {
            let room = poll_fn(|context| open.poll_room(context)).await?.min(piece.len());
            open.data(piece.get(..room).unwrap_or_default(), is_last && room == piece.len());
            piece.advance(room);
        }
        if open.stream.is_answered() {
            return Ok(());
        }
    }
    if left.unwrap_or(0) > 0 {
        return Err(Gone);
    }
    open.data(&[], true);
    Ok(())
}

fn trailers(open: &OpenStream, fields: &HeaderMap) {
    with_block(|block| {
        open.streams.begin_block(block);
        for (name, value) in fields {
            hpack::line(block, name.as_str().as_bytes(), value.as_bytes());
        }
        open.block(block, true);
    });
}

/// Writes the head of a response, in the order in which it would stand in HTTP/1: how long it says that its body is.
fn write_head(
    block: &mut Vec<u8>,
    (parts, lines): (&response::Parts, &FieldLines),
    known: Option<u64>,
) -> Option<u64> {
    let (mut length, mut is_dated) = (lines.length, lines.is_dated);
    hpack::status(block, parts.status.as_str());
    for (name, value) in lines.iter() {
        field(block, name, value);
    }
    for (name, value) in &parts.headers {
        let is_length = name == CONTENT_LENGTH;
        if is_length {
            length = value.to_str().ok().and_then(|length| length.parse().ok());
        }
        is_dated |= name == DATE;
        if !(is_length && parts.status == StatusCode::NO_CONTENT) {
            field(block, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    if let (None, Some(known)) = (length, known) {
        hpack::line(block, b"content-length", itoa::Buffer::new().format(known).as_bytes());
    }
    if !is_dated {
        date::with_now(|now| hpack::line(block, b"date", now));
    }
    length.or(known)
}

/// What is said of the connection has no place here (RFC 9113 §8.2.2).
fn field(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if !super::head::is_of_connection(name) {
        hpack::line(block, name, value);
    }
}

fn with_block<T>(make: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    BLOCK.with_borrow_mut(|block| {
        let made = make(block);
        block.clear();
        block.shrink_to(KEPT);
        made
    })
}
