//! Example values out of schemas.

use serde_json::{Map, Value};

/// Deeper than any schema of ours; ends recursive ones.
const DEEPEST: usize = 16;

/// A value that fits `schema`: its own example where it has one, else one made of its parts'. References are looked
/// up in `document`.
pub(super) fn of_schema(document: &Value, schema: &Value) -> Value {
    made(document, schema, 0)
}

fn made(document: &Value, schema: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    let given = [&schema["example"], &schema["examples"][0], &schema["default"], &schema["const"], &schema["enum"][0]];
    if let Some(given) = given.into_iter().find(|value| !value.is_null()) {
        return given.clone();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return made(document, resolve(document, reference), depth + 1);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().filter_map(|part| made(document, part, depth + 1).as_object().cloned());
        return Value::Object(parts.flatten().collect());
    }
    let alternatives = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    if let Some(first) = alternatives.and_then(|all| all.iter().find(|schema| schema["type"] != "null")) {
        return made(document, first, depth + 1);
    }
    match kind(schema) {
        "object" => {
            let properties = schema["properties"].as_object();
            let made = |(name, schema): (&String, &Value)| (name.clone(), made(document, schema, depth + 1));
            Value::Object(properties.map(|all| all.iter().map(made).collect::<Map<_, _>>()).unwrap_or_default())
        }
        "array" => Value::Array(vec![made(document, &schema["items"], depth + 1)]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        "boolean" => true.into(),
        "string" if schema["format"] == "date-time" => "2026-01-01T00:00:00.000000Z".into(),
        "string" => "".into(),
        _ => Value::Null,
    }
}

/// The schema's type; of several the first that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

/// What `#/components/…` stands for; null where nothing does.
pub(super) fn resolve<'a>(document: &'a Value, reference: &str) -> &'a Value {
    reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).unwrap_or(&Value::Null)
}
