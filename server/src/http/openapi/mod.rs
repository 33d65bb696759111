//! The outside contract as a document for programs: OpenAPI 3.1 at `/api/openapi.json`.
//!
//! It is a table of its own beside the router and not derived from the types: what was promised to others changes when somebody decides so and
//! not when a field is renamed, and amounts, rates and quantities are written by adapters that no derive sees through. The tests hold it to the
//! truth: every route of the router is here and no other, for the roles of the role matrix; every code of [`crate::error::Error`] is here; and
//! every request that is taken and every answer that is given in any test of the server is what this document says.

mod bodies;
mod codes;
mod route;
mod routes;
mod shapes;

pub use codes::{CODES, Code};
pub use route::{Route, Who};
pub use routes::routes;

use crate::error::{Error, Result};
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::Role;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static WRITTEN: LazyLock<Option<Bytes>> = LazyLock::new(|| serde_json::to_vec(&document()).ok().map(Bytes::from));

/// `GET /api/openapi.json`
///
/// # Errors
/// Never for what is in this folder.
pub async fn show() -> Result<Response> {
    let body = WRITTEN.clone().ok_or_else(|| Error::internal("the contract cannot be written"))?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], body).into_response())
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(&route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Comptoir",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A till for French restaurants.",
            "description": ABOUT,
        },
        "paths": paths,
        "components": {
            "schemas": bodies::bodies(),
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "comptoir", "description": "From POST /api/auth/login." },
                "kitchen_system": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "HS256 with ERP_JWT_SECRET, `aud` erp, `exp` at most an hour ahead.",
                },
            },
        },
    })
}

const ABOUT: &str = "Amounts are JSON numbers in euros with at most two decimals, read and written exactly; rates are per cent; times are RFC 3339; \
    identifiers are positive integers. Errors are `application/problem+json` (RFC 9457) with a stable `code`; what a 422 found wrong is in `errors`. Every \
    answer has `x-request-id`. What may be sent twice carries a `uuid` in its body or an `Idempotency-Key`: the same again returns the first answer with \
    `idempotent-replay: true`, the same key with another body is 409 `idempotency_mismatch`. People have a session cookie; their writes need a same-origin \
    `Origin` when one is sent. `x-roles` names who may. A socket at `/ws` tells what happens. A 500 (`internal`) is always a fault of the server.";

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route);
    parameters.extend(
        route.query.iter().map(|(name, needed, schema)| json!({ "name": name, "in": "query", "required": needed, "schema": schema })),
    );
    if route.once {
        let about = "The same as `uuid` in the body, for programs that prefer it here.";
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "description": about, "schema": shapes::uuid() }));
    }
    let mut operation = json!({
        "operationId": route.name(),
        "summary": route.does,
        "parameters": parameters,
        "responses": responses(route),
        "security": match route.who {
            Who::Anyone | Who::ThisMachine => json!([]),
            Who::SignedIn | Who::May(_) => json!([{ "session": [] }]),
            Who::KitchenSystem => json!([{ "kitchen_system": [] }]),
        },
    });
    if let Some(roles) = route.roles() {
        operation["x-roles"] = json!(roles.into_iter().map(Role::as_str).collect::<Vec<_>>());
    }
    if let Some(body) = &route.takes {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": body } } });
    }
    operation
}

fn path_parameters(route: &Route) -> Vec<Value> {
    route
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "uuid" => shapes::uuid(),
                "category" => shapes::text(40),
                "n" => shapes::whole(0, 9),
                _ => shapes::id(),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect()
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    for answer in &route.gives {
        let mut response = json!({ "description": answer.means });
        if let Some((media_type, schema)) = &answer.content {
            response["content"] = json!({ *media_type: { "schema": schema } });
        }
        responses.insert(answer.status.to_string(), response);
    }
    let codes = route.codes();
    let mut statuses: Vec<u16> = codes.iter().map(|code| code.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let of_status: Vec<&Code> = codes.iter().copied().filter(|code| code.status == status).collect();
        let means: Vec<String> = of_status.iter().map(|code| format!("`{}`: {}.", code.word, code.means)).collect();
        let words: Vec<&str> = of_status.iter().map(|code| code.word).collect();
        let schema = json!({
            "allOf": [shapes::to("Problem"), { "properties": { "status": { "const": status }, "code": { "enum": words } } }],
        });
        let mut response = json!({ "description": means.join(" "), "content": { "application/problem+json": { "schema": schema } } });
        if status == 429 {
            response["headers"] =
                json!({ "Retry-After": { "required": true, "description": "Seconds.", "schema": shapes::whole(1, 900) } });
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}
