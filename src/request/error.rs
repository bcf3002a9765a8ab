//! Why a request is refused before any policy is asked: it is malformed, too large, too slow or not for us.

/// A request that gets a 4xx. The message is for the log, never for the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestError {
    /// 400: ambiguous or not RFC 9110/9112; says what.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    /// 405: `CONNECT`, `TRACE`.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// 408: the head took longer than `[server.timeouts] head`.
    #[error("request head too slow")]
    HeadTimeout,
    /// 408: no byte of the body for `[server.timeouts] body`.
    #[error("request body too slow")]
    BodyTimeout,
    /// 413: more than `inspect_body_limit` where a decision depends on the body.
    #[error("request body too large to be inspected")]
    BodyTooLarge,
    /// 414: target longer than `[server.limits] target`.
    #[error("request target too long")]
    TargetTooLong,
    /// 415: a body that a decision depends on, in a form that cannot be read safely.
    #[error("request body not inspectable: {0}")]
    Unsupported(&'static str),
    /// 431: head or field count above `[server.limits]`.
    #[error("request head too large")]
    HeadTooLarge,
    /// The body broke off: there is nobody to answer, or nothing to trust.
    #[error("request body incomplete")]
    BodyAborted,
    /// 503: more connections than `[server.limits] connections`.
    #[error("too many connections")]
    TooManyConnections,
}
