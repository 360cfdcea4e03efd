//! A Postman collection (format v2.1) out of an OpenAPI document: a folder for each tag, a request for each operation.
//!
//! Nothing in it is random or dated, so the same document makes the same bytes. Fields stand in the order in which
//! Postman itself writes them.

use serde::Serialize;
use serde_json::Value;

use super::example::{of_schema, resolve};

const FORMAT: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
const BASE_URL: &str = "http://127.0.0.1:8000";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The collection. Made by [`collection`].
#[derive(Debug, Serialize)]
pub(super) struct Collection {
    info: Info,
    item: Vec<Folder>,
    variable: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Info {
    name: String,
    description: String,
    schema: &'static str,
}

#[derive(Debug, Serialize)]
struct Folder {
    name: String,
    description: String,
    item: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Item {
    name: String,
    request: Request,
    response: [Value; 0],
}

#[derive(Debug, Serialize)]
struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Value>,
    method: String,
    header: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    url: Url,
    description: String,
}

#[derive(Debug, Serialize)]
struct Url {
    raw: String,
    host: [&'static str; 1],
    path: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    query: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variable: Vec<Entry>,
}

/// A header, a parameter or a variable.
#[derive(Debug, Serialize)]
struct Entry {
    key: String,
    value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
}

#[derive(Debug, Serialize)]
struct Body {
    mode: &'static str,
    raw: String,
    options: Value,
}

/// The collection for an OpenAPI document (3.0 or 3.1).
pub(super) fn collection(document: &Value) -> Collection {
    let mut folders: Vec<Folder> = array(&document["tags"])
        .map(|tag| Folder { name: text(&tag["name"]), description: text(&tag["description"]), item: Vec::new() })
        .collect();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let tag = operation["tags"][0].as_str().unwrap_or("other");
            let place = folders.iter().position(|folder| folder.name == tag).unwrap_or_else(|| {
                folders.push(Folder { name: tag.to_owned(), description: String::new(), item: Vec::new() });
                folders.len() - 1
            });
            folders[place].item.push(request(document, path, method, item, operation));
        }
    }
    folders.retain(|folder| !folder.item.is_empty());
    let info = &document["info"];
    Collection {
        info: Info { name: text(&info["title"]), description: text(&info["description"]), schema: FORMAT },
        item: folders,
        variable: vec![Entry::new("baseUrl", BASE_URL), Entry::new("token", "")],
    }
}

fn request(document: &Value, path: &str, method: &str, item: &Value, operation: &Value) -> Item {
    let parameters: Vec<&Value> = array(&item["parameters"])
        .chain(array(&operation["parameters"]))
        .map(|parameter| parameter["$ref"].as_str().map_or(parameter, |reference| resolve(document, reference)))
        .collect();
    let of_kind = |kind: &str| -> Vec<Entry> {
        let meant = parameters.iter().filter(|parameter| parameter["in"] == kind);
        meant.map(|parameter| Entry::of_parameter(document, parameter)).collect()
    };
    let body = body(document, &operation["requestBody"]);
    let mut header = of_kind("header");
    if body.is_some() {
        header.insert(0, Entry::new("Content-Type", "application/json"));
    }
    let method = method.to_uppercase();
    let summary = text(&operation["summary"]);
    Item {
        name: if summary.is_empty() { format!("{method} {path}") } else { summary },
        request: Request {
            auth: needs_token(operation).then(bearer),
            method,
            header,
            body,
            url: url(path, of_kind("query"), of_kind("path")),
            description: text(&operation["description"]),
        },
        response: [],
    }
}

/// Whether every alternative of the operation's security asks for something.
fn needs_token(operation: &Value) -> bool {
    let mut alternatives = array(&operation["security"]).peekable();
    alternatives.peek().is_some() && alternatives.all(|needs| needs.as_object().is_some_and(|needs| !needs.is_empty()))
}

/// The token is a variable of the collection, to be filled in once.
fn bearer() -> Value {
    serde_json::json!({ "type": "bearer", "bearer": [{ "key": "token", "value": "{{token}}", "type": "string" }] })
}

/// A trailing slash is an empty last part of the path.
fn url(path: &str, query: Vec<Entry>, variable: Vec<Entry>) -> Url {
    let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => format!(":{name}"),
        None => part.to_owned(),
    };
    let path: Vec<String> = path.trim_start_matches('/').split('/').map(part).collect();
    let sent: Vec<String> =
        query.iter().filter(|entry| !entry.disabled).map(|entry| format!("{}={}", entry.key, entry.value)).collect();
    let question = if sent.is_empty() { "" } else { "?" };
    let raw = format!("{{{{baseUrl}}}}/{}{question}{}", path.join("/"), sent.join("&"));
    Url { raw, host: ["{{baseUrl}}"], path, query, variable }
}

fn body(document: &Value, body: &Value) -> Option<Body> {
    let content = body["content"].get("application/json")?;
    let named = content["examples"].as_object().and_then(|examples| examples.values().next());
    let given = [content.get("example"), named.map(|example| &example["value"])];
    let example = given.into_iter().flatten().next().cloned();
    let example = example.unwrap_or_else(|| of_schema(document, &content["schema"]));
    let options = serde_json::json!({ "raw": { "language": "json" } });
    Some(Body { mode: "raw", raw: format!("{example:#}"), options })
}

impl Entry {
    fn new(key: &str, value: &str) -> Self {
        Self { key: key.into(), value: value.into(), description: String::new(), disabled: false }
    }

    /// Disabled unless required: a request that is sent as it is should say no more than it must.
    fn of_parameter(document: &Value, parameter: &Value) -> Self {
        let example = match parameter.get("example") {
            Some(example) => example.clone(),
            None => of_schema(document, &parameter["schema"]),
        };
        let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self {
            key: text(&parameter["name"]),
            value: match &example {
                Value::Null => String::new(),
                Value::Array(values) => values.first().map(value).unwrap_or_default(),
                other => value(other),
            },
            description: text(&parameter["description"]),
            disabled: parameter["required"] != true,
        }
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
