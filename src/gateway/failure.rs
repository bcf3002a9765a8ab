//! Why a request got no response from upstream, and what it gets instead.

use crate::answer::{self, Asker};
use crate::enforce::Refusal;
use crate::request::api_key::DecoyError;
use crate::request::{RequestError, RequestHead};
use crate::store::Snapshot;
use crate::telemetry::SubjectKind;
use crate::upstream::UpstreamError;
use bytes::Bytes;
use http::Response;
use std::fmt;
use std::net::IpAddr;

/// Everything that can end a request before upstream answers.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not understood, too large or too slow.
    Request(RequestError),
    /// The policy blocks this client.
    Refused(Refusal, Option<IpAddr>),
    /// A decoy was wanted and could not be made: the key goes nowhere.
    NoDecoy(DecoyError),
    /// The upstream refused, timed out or broke off.
    Upstream(UpstreamError),
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<DecoyError> for Failure {
    fn from(error: DecoyError) -> Self {
        Self::NoDecoy(error)
    }
}

impl From<UpstreamError> for Failure {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::Request(error) => Self::Request(error),
            error => Self::Upstream(error),
        }
    }
}

impl Failure {
    /// The kind of subject that blocked the request, if one did.
    pub(super) fn blocked_by(&self) -> Option<SubjectKind> {
        match self {
            Self::Refused(refusal, _) => Some(refusal.kind()),
            Self::NoDecoy(_) => Some(SubjectKind::ApiKey),
            Self::Request(_) | Self::Upstream(_) => None,
        }
    }

    /// The response; the cause goes into the log.
    pub(super) fn answer(
        &self,
        snapshot: &Snapshot,
        request: &RequestHead,
        request_id: &dyn fmt::Display,
    ) -> Response<Bytes> {
        let RequestHead { method, version, fields, .. } = request;
        let asker = |client| Asker { method, version: *version, fields, client, request_id };
        match self {
            Self::Request(error) => {
                tracing::debug!(%error, %request_id, "request refused");
                answer::not_understood(*error)
            }
            Self::Refused(refusal, client) => {
                answer::refused(*refusal, &snapshot.config.answers, &asker(*client))
            }
            Self::NoDecoy(error) => {
                tracing::warn!(%error, %request_id, "no decoy for a blocked API key");
                answer::refused(Refusal::ApiKey, &snapshot.config.answers, &asker(None))
            }
            Self::Upstream(error) => {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    %request_id,
                    "no response from upstream"
                );
                answer::upstream_failed(error)
            }
        }
    }
}
