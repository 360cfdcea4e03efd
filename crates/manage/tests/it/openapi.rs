//! `manage openapi`. Held against the document that the API itself is made of.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Bench;

/// (method, path) → the parameters that are required, by place.
type Operations = BTreeMap<(String, String), Vec<(String, String)>>;

fn operations(document: &Value) -> Operations {
    let mut operations = Operations::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let required = parameters.iter().filter(|parameter| parameter["required"] == true);
            let mut required: Vec<_> =
                required.map(|parameter| (text(&parameter["in"]), text(&parameter["name"]))).collect();
            required.sort();
            operations.insert((method.to_uppercase(), path.clone()), required);
        }
    }
    operations
}

/// The same, out of a collection: what a request would send as it is.
fn requests(collection: &Value) -> Operations {
    let mut requests = Operations::new();
    for folder in collection["item"].as_array().unwrap() {
        for item in folder["item"].as_array().unwrap() {
            let request = &item["request"];
            let parts = request["url"]["path"].as_array().unwrap().iter().map(text);
            let parts = parts.map(|part| part.strip_prefix(':').map_or(part.clone(), |name| format!("{{{name}}}")));
            let path = format!("/{}", parts.collect::<Vec<_>>().join("/"));
            let mut sent = Vec::new();
            for (place, entries) in [
                ("header", &request["header"]),
                ("path", &request["url"]["variable"]),
                ("query", &request["url"]["query"]),
            ] {
                for entry in entries.as_array().into_iter().flatten() {
                    if entry["disabled"] != true && entry["key"] != "Content-Type" {
                        sent.push((place.to_owned(), text(&entry["key"])));
                        assert_ne!(text(&entry["value"]), "", "{path}: {entry}");
                    }
                }
            }
            sent.sort();
            assert!(requests.insert((text(&request["method"]), path.clone()), sent).is_none(), "{path} comes twice");
        }
    }
    requests
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_collection_has_a_request_for_every_operation() {
    let bench = Bench::new().await;
    let document = bench.manage(&["openapi"]).await.ok().out;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document, serde_json::to_value(gateway::openapi()).unwrap());
    let printed = bench.manage(&["openapi", "--postman"]).await.ok().out;
    assert_eq!(printed, bench.manage(&["openapi", "--postman"]).await.ok().out, "nothing in it is random");
    let collection: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(requests(&collection), operations(&document));
    assert_eq!(collection["variable"][0]["key"], "baseUrl");
    assert_eq!(collection["variable"][1]["key"], "token");
    let requests =
        || collection["item"].as_array().unwrap().iter().flat_map(|folder| folder["item"].as_array().unwrap());
    let auth = |name: &str| requests().find(|item| item["name"] == name).unwrap()["request"]["auth"]["type"].clone();
    assert_eq!((auth("Creates a product"), auth("Lists products")), ("bearer".into(), Value::Null));
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let folders: Vec<&Value> = collection["item"].as_array().unwrap().iter().map(|folder| &folder["name"]).collect();
    assert!(folders.iter().all(|folder| tags.contains(folder)), "{folders:?}");
    let order = collection["item"].as_array().unwrap().iter().flat_map(|folder| folder["item"].as_array().unwrap());
    let order = order.map(|item| &item["request"]).find(|request| request["method"] == "POST").unwrap();
    let body: Value = serde_json::from_str(order["body"]["raw"].as_str().unwrap()).unwrap();
    assert!(body["store_id"].is_i64() && body["items"][0]["quantity_requested"].is_i64(), "{body}");
}

#[tokio::test]
async fn check_names_the_file_that_is_stale() {
    let bench = Bench::new().await;
    bench.write("Cargo.lock", "");
    std::fs::create_dir(bench.folder.join("inside")).unwrap();
    let check = async || bench.manage(&["openapi", "--check"]).await;
    let missing = check().await;
    let said = |name: &str| format!("manage: {name} is stale: run `make openapi`\n");
    assert_eq!((missing.status, missing.err), (1, said("openapi.json") + &said("docs/postman_collection.json")));
    let written = bench.manage(&["openapi", "--write"]).await.ok();
    assert_eq!(written.out, "Wrote openapi.json\nWrote docs/postman_collection.json\n");
    check().await.ok();
    assert_eq!(bench.manage(&["openapi", "--write"]).await.ok().out, "", "what fits is left alone");
    let spec = bench.read("openapi.json");
    bench.write("openapi.json", spec.replace("\"3.1.0\"", "\"3.0.0\""));
    let stale = check().await;
    assert_eq!((stale.status, stale.err), (1, said("openapi.json")));
    assert_eq!(bench.manage(&["openapi", "--check", "--write"]).await.status, 2);
}
