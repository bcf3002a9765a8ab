//! `/openapi.json`: the API as it is, made of the same types and kinds that serve it.
//!
//! Nothing in, an OpenAPI 3.1 document out. A test asks the [`router`](super::router) for every operation in it, and the
//! interoperability tests ask the API itself for its answers.

use super::assignment::{ApiKeys, Applications, Tenants};
use super::errors::Errors;
use super::health::{Health, Readiness};
use super::ip_acl::IpAcls;
use super::log_level::LogLevel;
use super::resource::Resource;
use super::router::Kind;
use super::stats::Stats;
use super::wire::{APIKey, ApplicationObject, IPAccessControlList, TenantObject};
use crate::telemetry::metrics::Format;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, Ref, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::security::{ApiKey as ApiKeyScheme, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Required};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
/// The name of the security scheme.
const KEY: &str = "adminKey";

type AnySchema = RefOr<Schema>;

/// The document.
pub fn document() -> OpenApi {
    let mut paths = observing_paths(fixed_paths());
    for kind in Kind::ALL {
        paths = match kind {
            Kind::IpAcl => object_paths::<IpAcls, IPAccessControlList>(paths, kind),
            Kind::ApiKey => object_paths::<ApiKeys, APIKey>(paths, kind),
            Kind::Tenant => object_paths::<Tenants, TenantObject>(paths, kind),
            Kind::Application => object_paths::<Applications, ApplicationObject>(paths, kind),
        };
    }
    let description =
        "IP access control lists and what they are assigned to. FusionAuth's client libraries work with it.";
    let info = InfoBuilder::new().title("Management API").version("1").description(Some(description));
    let key =
        ApiKeyValue::with_description("Authorization", "A key of `[admin] api_keys`, and nothing else.");
    let mut components =
        ComponentsBuilder::new().security_scheme(KEY, SecurityScheme::ApiKey(ApiKeyScheme::Header(key)));
    for (name, schema) in schemas() {
        components = components.schema(name, schema);
    }
    OpenApiBuilder::new()
        .openapi(utoipa::openapi::OpenApiVersion::Version31)
        .info(info.build())
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

fn schemas() -> Vec<(String, AnySchema)> {
    let mut all = Vec::new();
    add::<IPAccessControlList>(&mut all);
    add::<APIKey>(&mut all);
    add::<TenantObject>(&mut all);
    add::<ApplicationObject>(&mut all);
    add::<Errors>(&mut all);
    add::<Health>(&mut all);
    add::<Readiness>(&mut all);
    add::<Stats>(&mut all);
    add::<LogLevel>(&mut all);
    all
}

fn add<T: ToSchema>(all: &mut Vec<(String, AnySchema)>) {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
}

fn reference<T: ToSchema>() -> AnySchema {
    Ref::from_schema_name(T::name()).into()
}

fn of_type(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(kind))
}

/// `{ "name": schema }`
fn wrapped(name: &str, schema: AnySchema, required: bool) -> AnySchema {
    let object = ObjectBuilder::new().property(name, schema);
    if required { object.required(name).into() } else { object.into() }
}

fn content(schema: AnySchema) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn answer(description: &str, schema: AnySchema) -> Response {
    ResponseBuilder::new().description(description).content(JSON, content(schema)).build()
}

fn empty(description: &str) -> Response {
    Response::new(description)
}

/// An operation that needs a key, with the answers that all of these have.
fn guarded(summary: &str, tag: &str, name: &str) -> OperationBuilder {
    let security: [&str; 0] = [];
    OperationBuilder::new()
        .summary(Some(summary))
        .tag(tag)
        .operation_id(Some(name))
        .security(SecurityRequirement::new(KEY, security))
        .response("400", answer("What is wrong with the request.", reference::<Errors>()))
        .response("401", empty("No key, a wrong one, or one that may not be used from there."))
        .response("408", empty("The request is too slow."))
        .response("413", empty("The request is too large."))
        .response("429", empty("Too many wrong keys from this address."))
        .response("500", empty("Something broke; the log says what."))
}

/// An operation that changes the policy.
fn changing(summary: &str, tag: &str, name: &str) -> OperationBuilder {
    let force = "Makes the change even if it locks out whoever makes it.";
    let confirm = "Seconds after which the change is rolled back, unless `POST /api/confirm` comes before.";
    let seconds = of_type(Type::Integer).minimum(Some(1)).maximum(Some(86_400));
    guarded(summary, tag, name)
        .parameter(query("force", force, of_type(Type::Boolean).into()))
        .parameter(query("confirmWithin", confirm, seconds.into()))
        .response("403", answer("The key may only read.", reference::<Errors>()))
        .response(
            "409",
            answer(
                "The file is in the way, or the change would lock out whoever makes it.",
                reference::<Errors>(),
            ),
        )
}

fn query(name: &str, description: &str, schema: AnySchema) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
}

fn body(types: &[(&str, AnySchema)], required: Required) -> utoipa::openapi::request_body::RequestBody {
    let body = RequestBodyBuilder::new().required(Some(required));
    types.iter().fold(body, |body, (name, schema)| body.content(*name, content(schema.clone()))).build()
}

fn fixed_paths() -> PathsBuilder {
    let open = |summary: &str, name: &str| {
        OperationBuilder::new().summary(Some(summary)).tag("health").operation_id(Some(name))
    };
    let text = Format::ALL
        .iter()
        .fold(ResponseBuilder::new().description("As `Accept` asks for it."), |response, format| {
            response.content(format.media_type(), content(of_type(Type::String).into()))
        })
        .build();
    let health = open("Whether the process is alive", "health")
        .response("200", answer("It is.", reference::<Health>()));
    let ready = open("Whether it should be sent requests", "readiness")
        .response("200", answer("It should.", reference::<Readiness>()))
        .response("503", answer("It is draining.", reference::<Readiness>()));
    let explain = guarded("Say what would become of a request, and why", "explain", "explain")
        .request_body(Some(body(&[(JSON, question())], Required::True)))
        .response("200", answer("The decision, and every check that led to it.", ObjectBuilder::new().into()))
        .response("415", answer("Not JSON.", reference::<Errors>()));
    let revision = wrapped("revision", of_type(Type::Integer).into(), true);
    let confirm = guarded("Keep the change that waits for its confirmation", "confirm", "confirm")
        .response("200", answer("It stays.", revision))
        .response("403", answer("The key may only read.", reference::<Errors>()))
        .response("409", answer("No change waits.", reference::<Errors>()));
    let document =
        open("This document", "description").response("200", answer("It.", ObjectBuilder::new().into()));
    let metrics = open("What is counted", "metrics").response("200", text);
    PathsBuilder::new()
        .path("/healthz", item(HttpMethod::Get, health))
        .path("/readyz", item(HttpMethod::Get, ready))
        .path("/metrics", item(HttpMethod::Get, metrics))
        .path("/openapi.json", item(HttpMethod::Get, document))
        .path("/api/explain", item(HttpMethod::Post, explain))
        .path("/api/confirm", item(HttpMethod::Post, confirm))
}

/// What tells operators what happens.
fn observing_paths(paths: PathsBuilder) -> PathsBuilder {
    let whole = |name: &str, description: &str| {
        query(name, description, of_type(Type::Integer).minimum(Some(0)).into())
    };
    let stats =
        guarded("How often each entry of each ACL decided, and what nothing has hit", "stats", "stats")
            .parameter(query(
                "ipAccessControlList",
                "One ACL alone, by name or id.",
                of_type(Type::String).into(),
            ))
            .parameter(query("unused", "Only entries that nothing has hit.", of_type(Type::Boolean).into()))
            .parameter(whole("startRow", "Entries that are left out."))
            .parameter(whole("numberOfResults", "Entries on the page; 25, and 10000 at the most."))
            .response("200", answer("What is counted, the most hit entries first.", reference::<Stats>()));
    let level = || answer("The level that holds.", wrapped("log", reference::<LogLevel>(), true));
    let no_log = || answer("The process has no log of its own.", reference::<Errors>());
    let log =
        guarded("The level of the log", "log", "log").response("200", level()).response("409", no_log());
    let seconds = of_type(Type::Integer).minimum(Some(1)).maximum(Some(86_400));
    let wanted = ObjectBuilder::new()
        .property("level", of_type(Type::String).description(Some("Absent: what the file says.")))
        .property("seconds", seconds.description(Some("Absent: until the file says another level.")));
    let set_log = guarded("Change the level of the log while it runs", "log", "set-log")
        .request_body(Some(body(&[(JSON, wrapped("log", wanted.into(), false))], Required::True)))
        .response("200", level())
        .response("403", answer("The key may only read.", reference::<Errors>()))
        .response("409", no_log())
        .response("415", answer("Not JSON.", reference::<Errors>()));
    let log = merged(item(HttpMethod::Get, log), HttpMethod::Put, set_log.build());
    paths.path("/api/log", log).path("/api/stats", item(HttpMethod::Get, stats))
}

fn item(method: HttpMethod, operation: OperationBuilder) -> PathItem {
    PathItem::new(method, operation.build())
}

/// What `POST /api/explain` takes.
fn question() -> AnySchema {
    let text = || of_type(Type::String);
    let nullable = SchemaType::Array(vec![Type::String, Type::Null]);
    ObjectBuilder::new()
        .property(
            "clientIPAddress",
            ObjectBuilder::new().schema_type(nullable).description(Some("`null`: not to be determined.")),
        )
        .required("clientIPAddress")
        .property("method", text())
        .property("path", text().description(Some("Path and query.")))
        .property("headers", ObjectBuilder::new().additional_properties(Some(of_type(Type::String))))
        .property("body", text())
        .into()
}

/// Every operation on a kind of object.
fn object_paths<R: Resource, T: ToSchema>(paths: PathsBuilder, kind: Kind) -> PathsBuilder {
    let (root, tag) = (format!("/api/{}", kind.segment()), R::NAME);
    let operation = |verb: &str| format!("{verb}-{}", kind.segment());
    let all = guarded("All of them", tag, &operation("list"))
        .response("200", answer("All of them.", wrapped(R::PLURAL, list::<T>(), true)));
    let create = |name: &str| with_object::<R, T>(changing("Create one", tag, &operation(name)));
    let many = PathItem::from_http_methods([HttpMethod::Get], all.build());
    let many = merged(many, HttpMethod::Post, create("create").build());
    let id = || {
        let schema = of_type(Type::String).format(id_format(kind)).min_length(Some(1));
        ParameterBuilder::new()
            .name(R::ID)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema))
    };
    let one = |operation: OperationBuilder| {
        operation.parameter(id()).response("404", empty("There is none.")).build()
    };
    let found = answer("The object.", wrapped(R::NAME, reference::<T>(), true));
    let retrieve = guarded("Retrieve one", tag, &operation("retrieve")).response("200", found);
    let update = with_object::<R, T>(changing("Replace one", tag, &operation("update")));
    let delete = changing("Delete one that nothing needs", tag, &operation("delete"))
        .response("200", empty("It is gone."));
    let single = PathItem::new(HttpMethod::Get, one(retrieve));
    let single = merged(single, HttpMethod::Post, one(create("create-with-id")));
    let single = merged(single, HttpMethod::Put, one(update));
    let single = merged(single, HttpMethod::Patch, one(patching::<R, T>(tag, &operation("patch"))));
    let single = merged(single, HttpMethod::Delete, one(delete));
    paths
        .path(root.clone(), many)
        .path(format!("{root}/{{{}}}", R::ID), single)
        .path(format!("{root}/search"), search_paths::<R, T>(tag, &operation("search")))
}

fn id_format(kind: Kind) -> Option<SchemaFormat> {
    match kind {
        Kind::IpAcl | Kind::ApiKey => Some(SchemaFormat::Custom("uuid".to_owned())),
        Kind::Tenant | Kind::Application => None,
    }
}

fn merged(mut path: PathItem, method: HttpMethod, operation: Operation) -> PathItem {
    path.merge_operations(PathItem::new(method, operation));
    path
}

fn list<T: ToSchema>() -> AnySchema {
    ArrayBuilder::new().items(reference::<T>()).into()
}

/// An operation with the whole object in request and answer.
fn with_object<R: Resource, T: ToSchema>(operation: OperationBuilder) -> OperationBuilder {
    operation
        .request_body(Some(body(&[(JSON, wrapped(R::NAME, reference::<T>(), true))], Required::True)))
        .response("200", answer("The object as it is now.", wrapped(R::NAME, reference::<T>(), true)))
        .response("415", answer("Not JSON.", reference::<Errors>()))
}

fn patching<R: Resource, T: ToSchema>(tag: &str, name: &str) -> OperationBuilder {
    let partial = || wrapped(R::NAME, ObjectBuilder::new().into(), false);
    let step = ObjectBuilder::new()
        .property(
            "op",
            of_type(Type::String).enum_values(Some(["add", "remove", "replace", "move", "copy", "test"])),
        )
        .property("path", of_type(Type::String))
        .property("from", of_type(Type::String))
        .property("value", ObjectBuilder::new().schema_type(SchemaType::AnyValue))
        .required("op")
        .required("path");
    let steps = ArrayBuilder::new().items(step).into();
    let types = [(JSON, partial()), (MERGE_PATCH, partial()), (JSON_PATCH, steps)];
    changing("Change parts of one: merged (lists are appended to), or by RFC 6902 or RFC 7396", tag, name)
        .request_body(Some(body(&types, Required::True)))
        .response("200", answer("The object as it is now.", wrapped(R::NAME, reference::<T>(), true)))
        .response("415", answer("Not a patch.", reference::<Errors>()))
}

fn search_paths<R: Resource, T: ToSchema>(tag: &str, name: &str) -> PathItem {
    let integer = || {
        of_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32))).minimum(Some(0))
    };
    let text = || of_type(Type::String);
    let order = || text().pattern(Some("^(id|insertInstant|lastUpdateInstant|name)( (ASC|DESC))?$"));
    let page: AnySchema = ObjectBuilder::new()
        .property(R::PLURAL, list::<T>())
        .property("total", integer())
        .required(R::PLURAL)
        .required("total")
        .into();
    let found = || answer("A page of what was found.", page.clone());
    let criteria = ObjectBuilder::new()
        .property("name", text())
        .property("orderBy", order())
        .property("startRow", integer())
        .property("numberOfResults", integer());
    let by_body =
        guarded("Search by body; the newest first unless asked otherwise", tag, &format!("{name}-by-body"))
            .request_body(Some(body(&[(JSON, wrapped("search", criteria.into(), false))], Required::False)))
            .response("200", found())
            .response("415", answer("Not JSON.", reference::<Errors>()));
    let by_query = guarded("Search by query; by name unless asked otherwise", tag, name)
        .parameter(query(
            "name",
            "`*` stands for anything; without one it is looked for anywhere.",
            text().into(),
        ))
        .parameter(query("orderBy", "A field, and `ASC` or `DESC`.", order().into()))
        .parameter(query("startRow", "Rows that are left out.", integer().into()))
        .parameter(query("numberOfResults", "Rows on the page; 25.", integer().into()))
        .response("200", found());
    merged(item(HttpMethod::Get, by_query), HttpMethod::Post, by_body.build())
}

#[cfg(test)]
mod tests {
    use super::super::router::{Route, route};
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_operation_is_served_and_every_reference_is_there() {
        let document = serde_json::to_value(document()).unwrap();
        let mut count = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            let path = path.replace("{ipAccessControlListId}", "x").replace("{apiKeyId}", "x");
            let path = path.replace("{tenantId}", "x").replace("{applicationId}", "x");
            for method in item.as_object().unwrap().keys() {
                let found = route(&method.to_uppercase().parse().unwrap(), &path);
                let found = found.unwrap_or_else(|problem| panic!("{method} {path}: {problem:?}"));
                let guarded = item[method]["security"].is_array();
                assert_eq!(guarded, !found.is_open(), "{method} {path}");
                count += usize::from(matches!(found, Route::Object(..)));
            }
        }
        assert_eq!(count, 4 * 9);
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_of_operations_are_unique() {
        let document = serde_json::to_value(document()).unwrap();
        let items = document["paths"].as_object().unwrap().values();
        let mut names: Vec<&Value> = items
            .flat_map(|item| item.as_object().unwrap().values().map(|operation| &operation["operationId"]))
            .collect();
        let all = names.len();
        names.sort_by_key(|name| name.to_string());
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
