//! The management API: its listener's handler, and one file for each subject.
//!
//! A request on the `[admin]` listener in, a response out, in the order of the files: [`router`] → [`auth`] (with its
//! [`throttle`]) → [`call`] → an operation on a [`resource`] ([`ip_acl`], [`assignment`]; [`search`], [`patch`]) or
//! [`explain`], [`stats`], [`log_level`], [`health`] → [`change`] for what changes the file → [`reply`], or [`errors`]. The FusionAuth client libraries
//! work against it unchanged; [`openapi`] describes it to others.
//!
//! INVARIANTS
//! 1. Nothing but health, metrics and the API's own description is answered without a key.
//! 2. A request is judged by the snapshot of the moment at which it came, and a change is in force before it is answered.
//! 3. Bodies are read whole, up to [`BODY_LIMIT`], and only of those who have a key.

pub mod assignment;
pub mod auth;
pub mod call;
pub mod change;
pub mod errors;
pub mod explain;
pub mod fields;
pub mod health;
pub mod ip_acl;
pub mod listener;
pub mod log_level;
pub mod openapi;
pub mod patch;
pub mod query;
pub mod reply;
pub mod resource;
pub mod router;
pub mod search;
pub mod stats;
pub mod throttle;
pub mod wire;

use crate::answer;
use crate::request::{Connection, RequestBody, RequestError, RequestHead};
use crate::server::{Handler, Stage};
use crate::store::Reloader;
use crate::store::edit::Editor;
use crate::telemetry::logging::LogControl;
use crate::telemetry::metrics::Metrics;
use assignment::{ApiKeys, Applications, Tenants};
use auth::{Caller, Stranger};
use bytes::Bytes;
use call::Call;
use change::Desk;
use errors::Problem;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::Full;
use ip_acl::IpAcls;
use query::Query;
use resource::Resource;
use router::{Kind, Route, Verb};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use throttle::Throttle;
use tokio::sync::watch;

/// The most bytes of a request's body: an ACL with a hundred thousand entries.
pub const BODY_LIMIT: usize = 16 << 20;

/// What the management API works on.
#[derive(Clone, Debug)]
pub struct Shared {
    /// What is in force.
    pub reloader: Arc<Reloader>,
    /// Who writes the file.
    pub editor: Editor,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The log.
    pub log: LogControl,
    /// Where in its life the gateway stands.
    pub stage: watch::Receiver<Stage>,
    /// Whether other processes listen on the gateway's sockets too.
    pub relieved: Arc<AtomicBool>,
}

impl Shared {
    fn standing(&self) -> health::Standing {
        health::Standing { stage: *self.stage.borrow(), relieved: self.relieved.load(Ordering::Relaxed) }
    }
}

/// Answers the requests of the management listener. There is one, on one worker: wrong keys are counted in one place.
#[derive(Debug)]
pub struct AdminApi {
    shared: Shared,
    desk: Desk,
    throttle: RefCell<Throttle>,
}

impl AdminApi {
    /// The API on what it is to work on.
    pub fn new(shared: Shared) -> Self {
        let desk = Desk::new(shared.editor.clone(), Arc::clone(&shared.reloader));
        Self { shared, desk, throttle: RefCell::default() }
    }

    async fn answer(&self, parts: &Parts, body: RequestBody, connection: &Connection) -> Response<Bytes> {
        let route = router::route(&parts.method, parts.uri.path());
        if let Ok(route) = &route
            && let Some(response) = self.open(route, &parts.headers)
        {
            return response;
        }
        let snapshot = self.shared.reloader.store().load();
        let caller = {
            let mut throttle = self.throttle.borrow_mut();
            auth::identify(&snapshot, &parts.headers, connection.peer.ip(), &mut throttle)
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err(Stranger::Unknown) => return reply::empty(StatusCode::UNAUTHORIZED),
            Err(Stranger::TooMany(wait)) => return reply::slow_down(wait.as_secs() + 1),
        };
        let body = match read(body).await {
            Ok(body) => body,
            Err(error) => return answer::not_understood(error),
        };
        let call = self.call(&caller, parts, (snapshot, body));
        let done = match route {
            Ok(route) => self.operate(&call, route, &parts.method).await,
            Err(problem) => Err(problem),
        };
        done.unwrap_or_else(Problem::into_response)
    }

    fn call<'a>(
        &self,
        caller: &'a Caller,
        parts: &'a Parts,
        (snapshot, body): (Arc<crate::store::Snapshot>, Bytes),
    ) -> Call<'a> {
        Call {
            caller,
            file_time: call::file_time(&self.shared.reloader, &snapshot),
            snapshot,
            query: Query::parse(parts.uri.query()),
            headers: &parts.headers,
            body,
        }
    }

    /// What anybody may ask for.
    fn open(&self, route: &Route, headers: &HeaderMap) -> Option<Response<Bytes>> {
        match route {
            Route::Healthz => Some(health::alive()),
            Route::Readyz => Some(health::ready(&self.shared.reloader, self.shared.standing())),
            Route::Metrics => Some(health::metrics(&self.shared.metrics, headers)),
            Route::OpenApi => Some(reply::ok(&openapi::document())),
            Route::Explain | Route::Stats | Route::Log | Route::Confirm | Route::Object(..) => None,
        }
    }

    async fn operate(
        &self,
        call: &Call<'_>,
        route: Route,
        method: &Method,
    ) -> Result<Response<Bytes>, Problem> {
        match route {
            Route::Explain => explain::answer(call),
            Route::Stats => stats::answer(call),
            Route::Log => log_level::answer(call, method, &self.shared.log),
            Route::Confirm => {
                let revision = self.desk.confirm(call).await?;
                Ok(reply::ok(&serde_json::json!({ "revision": revision })))
            }
            Route::Object(kind, verb, id) => {
                let (id, with) = (id.as_deref(), (verb, method));
                match kind {
                    Kind::IpAcl => self.object::<IpAcls>(call, with, id).await,
                    Kind::ApiKey => self.object::<ApiKeys>(call, with, id).await,
                    Kind::Tenant => self.object::<Tenants>(call, with, id).await,
                    Kind::Application => self.object::<Applications>(call, with, id).await,
                }
            }
            Route::Healthz | Route::Readyz | Route::Metrics | Route::OpenApi => Err(Problem::NotFound),
        }
    }

    async fn object<R: Resource>(
        &self,
        call: &Call<'_>,
        (verb, method): (Verb, &Method),
        id: Option<&str>,
    ) -> Result<Response<Bytes>, Problem> {
        let desk = &self.desk;
        match verb {
            Verb::Create => resource::create::<R>(desk, call, id).await,
            Verb::Retrieve => resource::retrieve::<R>(call, id),
            Verb::Search => resource::search::<R>(call, method),
            Verb::Update => resource::update::<R>(desk, call, id).await,
            Verb::Patch => resource::patch::<R>(desk, call, id).await,
            Verb::Delete => resource::delete::<R>(desk, call, id).await,
        }
    }
}

async fn read(mut body: RequestBody) -> Result<Bytes, RequestError> {
    body.inspect(BODY_LIMIT).await
}

impl Handler for AdminApi {
    type Body = Full<Bytes>;

    async fn handle(
        &self,
        request: Box<RequestHead>,
        body: RequestBody,
        connection: &Connection,
    ) -> Response<Self::Body> {
        self.answer(&(*request).into(), body, connection).await.map(Full::new)
    }

    fn refuse(&self, error: RequestError, _: &Connection) -> Response<Self::Body> {
        answer::not_understood(error).map(Full::new)
    }
}
