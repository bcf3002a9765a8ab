//! What can be done with an object of any kind: create, retrieve, list, search, update, patch, delete.
//!
//! A [`Call`] and the id in its path in, a response or a [`Problem`] out. A kind says how it is named, found, shown and read
//! ([`Resource`]); everything else is the same for all of them. INVARIANT: nothing is changed before all of a request is judged.

use super::call::Call;
use super::change::{Desk, Operation, Plan};
use super::errors::{Errors, Problem};
use super::fields::{Fields, Object as Body};
use super::search::{Criteria, Keys};
use super::{patch, reply, wire};
use crate::store::Snapshot;
use crate::store::edit::{Change, Object};
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

/// A kind of object.
pub trait Resource {
    /// The object, as the policy holds it.
    type Item;

    /// Its name in JSON.
    const NAME: &'static str;
    /// Its plural in JSON.
    const PLURAL: &'static str;
    /// The name of the id in the path.
    const ID: &'static str;

    /// The one form of an id in which it is compared; `None` is no id.
    fn canonical_id(text: &str) -> Option<String>;

    /// Every object of the kind.
    fn all(snapshot: &Snapshot) -> impl Iterator<Item = Self::Item>;

    /// The object with this canonical id.
    fn find(snapshot: &Snapshot, id: &str) -> Option<Self::Item>;

    /// What it is found and ordered by.
    fn keys(item: &Self::Item, file_time: i64) -> Keys;

    /// As it is shown.
    fn show(item: &Self::Item, file_time: i64) -> Value;

    /// Reads what is to become the object with this id, and what it is now. `None` only with errors.
    fn read(
        fields: &Fields<'_>,
        call: &Call<'_>,
        target: (&str, Option<&Self::Item>),
        errors: &mut Errors,
    ) -> Option<Draft>;

    /// How it is deleted.
    fn deletion(item: &Self::Item) -> Change;

    /// What needs it, in words.
    fn users(snapshot: &Snapshot, item: &Self::Item) -> Vec<String>;
}

/// An object as it is to be.
pub struct Draft {
    /// For the file.
    pub object: Object,
    /// A key, to be shown once.
    pub secret: Option<String>,
}

/// Without the secret.
impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("object", &self.object).finish_non_exhaustive()
    }
}

type Answer = Result<Response<Bytes>, Problem>;

/// Retrieves one, or all where the path has no id.
///
/// # Errors
/// There is none.
pub fn retrieve<R: Resource>(call: &Call<'_>, id: Option<&str>) -> Answer {
    if id.is_none() {
        let all: Vec<_> = R::all(&call.snapshot).map(|item| R::show(&item, call.file_time)).collect();
        return Ok(reply::ok(&wire::wrapped(R::PLURAL, &all)));
    }
    let (_, item) = existing::<R>(call, id)?;
    Ok(reply::ok(&wire::wrapped(R::NAME, &R::show(&item, call.file_time))))
}

/// Searches, by query or by body.
///
/// # Errors
/// Criteria that are none.
pub fn search<R: Resource>(call: &Call<'_>, method: &Method) -> Answer {
    let criteria =
        if method == Method::POST { Criteria::from_body(call)? } else { Criteria::from_query(call)? };
    let page = criteria.page(R::all(&call.snapshot), |item| R::keys(item, call.file_time));
    let rows: Vec<_> = page.rows.iter().map(|item| R::show(item, call.file_time)).collect();
    Ok(reply::ok(&json!({ R::PLURAL: rows, "total": page.total })))
}

/// Creates one; the id is that of the path, else of the body, else random.
///
/// # Errors
/// What is wrong with it, or with the file.
pub async fn create<R: Resource>(desk: &Desk, call: &Call<'_>, id: Option<&str>) -> Answer {
    let (options, body, mut errors) = (call.options()?, call.object()?, Errors::default());
    let fields = Fields::of(&body, R::NAME, &mut errors);
    let id = new_id::<R>(id, &fields, &mut errors);
    if R::find(&call.snapshot, &id).is_some() {
        errors.field("duplicate", fields.path("id"), format!("there is one with the id `{id}`"));
    }
    let draft = R::read(&fields, call, (&id, None), &mut errors);
    errors.check()?;
    let Draft { object, secret } = draft.ok_or(Problem::Internal)?;
    let plan = Plan { operation: Operation::Create, kind: R::NAME, id: &id, old: None, options };
    let mut shown = desk.apply(call, plan, Change::Create(object), shows::<R>(&id)).await?;
    if let (Some(secret), Some(shown)) = (secret, shown.as_object_mut()) {
        shown.insert("key".to_owned(), secret.into());
    }
    Ok(reply::ok(&wire::wrapped(R::NAME, &shown)))
}

/// Puts a new object in the place of one.
///
/// # Errors
/// There is none, or what is wrong with the new one, or with the file.
pub async fn update<R: Resource>(desk: &Desk, call: &Call<'_>, id: Option<&str>) -> Answer {
    let options = call.options()?;
    let (id, item) = existing::<R>(call, id)?;
    let body = call.object()?;
    replace::<R>(desk, call, (&id, &item), (&body, options)).await
}

/// Changes parts of one.
///
/// # Errors
/// As [`update`], or the patch cannot be applied.
pub async fn patch<R: Resource>(desk: &Desk, call: &Call<'_>, id: Option<&str>) -> Answer {
    let options = call.options()?;
    let (id, item) = existing::<R>(call, id)?;
    let body = patch::apply(call, wire::wrapped(R::NAME, &R::show(&item, call.file_time)))?;
    replace::<R>(desk, call, (&id, &item), (&body, options)).await
}

async fn replace<R: Resource>(
    desk: &Desk,
    call: &Call<'_>,
    (id, item): (&str, &R::Item),
    (body, options): (&Body, super::query::Options),
) -> Answer {
    let mut errors = Errors::default();
    let fields = Fields::of(body, R::NAME, &mut errors);
    let draft = R::read(&fields, call, (id, Some(item)), &mut errors);
    errors.check()?;
    let Draft { object, secret: _ } = draft.ok_or(Problem::Internal)?;
    let old = Some(R::show(item, call.file_time));
    let plan = Plan { operation: Operation::Update, kind: R::NAME, id, old, options };
    let shown = desk.apply(call, plan, Change::Replace(object), shows::<R>(id)).await?;
    Ok(reply::ok(&wire::wrapped(R::NAME, &shown)))
}

/// Deletes one that nothing needs.
///
/// # Errors
/// There is none, something needs it, or the file cannot be changed.
pub async fn delete<R: Resource>(desk: &Desk, call: &Call<'_>, id: Option<&str>) -> Answer {
    let options = call.options()?;
    let (id, item) = existing::<R>(call, id)?;
    let users = R::users(&call.snapshot, &item);
    if !users.is_empty() {
        return Err(Problem::field("inUse", R::ID, format!("in use by {}", listed(&users))));
    }
    let old = Some(R::show(&item, call.file_time));
    let plan = Plan { operation: Operation::Delete, kind: R::NAME, id: &id, old, options };
    desk.apply(call, plan, R::deletion(&item), |_, _| Some(Value::Null)).await?;
    Ok(reply::empty(StatusCode::OK))
}

/// How an object is shown once it is there.
fn shows<R: Resource>(id: &str) -> impl FnOnce(&Snapshot, i64) -> Option<Value> + Send + 'static {
    let id = id.to_owned();
    move |snapshot, file_time| R::find(snapshot, &id).map(|item| R::show(&item, file_time))
}

/// The object that the path names.
fn existing<R: Resource>(call: &Call<'_>, id: Option<&str>) -> Result<(String, R::Item), Problem> {
    let id = id.ok_or_else(|| Problem::field("missing", R::ID, "the id belongs into the path"))?;
    let id = R::canonical_id(id).ok_or_else(|| Problem::field("invalid", R::ID, "this is no id"))?;
    let item = R::find(&call.snapshot, &id).ok_or(Problem::NotFound)?;
    Ok((id, item))
}

fn new_id<R: Resource>(path: Option<&str>, fields: &Fields<'_>, errors: &mut Errors) -> String {
    let (text, place) = match path {
        Some(text) => (Some(text), R::ID.to_owned()),
        None => (fields.text("id", errors), fields.path("id")),
    };
    let Some(text) = text else { return uuid::Uuid::new_v4().to_string() };
    R::canonical_id(text).unwrap_or_else(|| {
        errors.field("invalid", place, "this is no id");
        String::new()
    })
}

/// Users that are named in a message.
const NAMED: usize = 20;

fn listed(users: &[String]) -> String {
    let mut text = users.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = users.len().checked_sub(NAMED).filter(|more| *more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// The name of an object as audit records have it.
pub fn name_of(object: &Value) -> Option<&Value> {
    object.as_object().and_then(|object: &Map<String, Value>| object.get("name"))
}
