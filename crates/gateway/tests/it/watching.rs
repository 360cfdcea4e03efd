//! Dashboards and alert rules speak of metrics that the code exports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testkit::{Proxy, TestDatabase, address_of, database_url, eventually, said, watched};

use crate::process::{Gateway, free_port, until_ready};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Names that Prometheus makes itself.
const ITS_OWN: &[&str] = &["up"];

/// What PromQL calls its own: functions, aggregations, keywords, and our labels.
const WORDS: &[&str] = &[
    "absent",
    "by",
    "count",
    "increase",
    "job",
    "max",
    "max_over_time",
    "or",
    "outcome",
    "quantile",
    "rate",
    "route",
    "status",
    "sum",
    "task",
];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every name that is given to a metric: in a macro of `metrics`, or as a constant of a file that uses one.
fn exported() -> BTreeSet<String> {
    let mut files = Vec::new();
    for krate in std::fs::read_dir(Path::new(ROOT).join("crates")).unwrap() {
        let sources = krate.unwrap().path().join("src");
        if sources.is_dir() {
            rust_files(&sources, &mut files);
        }
    }
    let mut names = BTreeSet::new();
    for file in files {
        let source = std::fs::read_to_string(file).unwrap();
        for (before, name) in source.split('"').zip(source.split('"').skip(1)) {
            let before = before.trim_end();
            let in_macro = ["gauge!(", "counter!(", "histogram!("].iter().any(|start| before.ends_with(start));
            let is_constant = before.ends_with("&str =") && source.contains("metrics::");
            if in_macro || is_constant {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// The metrics in an expression: words that stand neither in quotes nor in a duration, and are not PromQL's own.
fn metrics(expression: &str) -> Vec<String> {
    let unquoted: String = expression.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let unranged: String = unquoted.split('[').map(|part| part.split(']').next_back().unwrap_or("")).collect();
    let words = unranged.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .filter(|word| !WORDS.contains(word) && !ITS_OWN.contains(word))
        .map(|word| word.strip_suffix("_count").or(word.strip_suffix("_sum")).unwrap_or(word).to_owned())
        .collect()
}

fn assert_exported(expressions: &[String], at_least: usize) {
    let exported = exported();
    assert!(exported.len() > 20, "{exported:?}");
    let mut found = BTreeSet::new();
    for expression in expressions {
        for metric in metrics(expression) {
            assert!(exported.contains(&metric), "{metric} in {expression} is exported by no code");
            found.insert(metric);
        }
    }
    assert!(found.len() >= at_least, "only {found:?}");
}

/// What a gateway says of itself on this port.
async fn told(ops: u16) -> String {
    reqwest::get(format!("http://127.0.0.1:{ops}/metrics")).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_gateway_that_has_just_begun_has_a_value_for_all_that_is_watched() {
    let (database, ops) = (TestDatabase::new().await, free_port());
    let gateway = Gateway::start_with(&database, |command| {
        command.env("OPS_ADDR", format!("127.0.0.1:{ops}"));
    });
    until_ready(gateway.base()).await;
    let watched = watched(&["http_", "orders_", "search_", "outbox_"]);
    assert!(watched.len() > 8, "{watched:?}");
    let missing = async || watched.difference(&said(&told(ops).await)).cloned().collect::<Vec<_>>();
    let all = async || missing().await.is_empty().then_some(());
    let soon = tokio::time::timeout(Duration::from_secs(10), eventually("all", Duration::from_secs(60), all)).await;
    assert!(soon.is_ok(), "missing: {:?}", missing().await);
}

#[tokio::test]
async fn how_far_the_search_is_behind_grows_without_postgresql_and_falls_with_it() {
    let (database, ops) = (TestDatabase::new().await, free_port());
    let proxy = Proxy::to(address_of(&database_url())).await;
    let gateway = Gateway::start_with(&database, |command| {
        command.env("OPS_ADDR", format!("127.0.0.1:{ops}")).env("DATABASE_URL", database.url_through(&proxy));
    });
    until_ready(gateway.base()).await;
    let behind = async || -> Option<f64> {
        told(ops).await.lines().find_map(|line| line.strip_prefix("search_behind_seconds "))?.parse().ok()
    };
    let soon = Duration::from_secs(20);
    let in_step = async || behind().await.filter(|seconds| *seconds < 2.0);
    eventually("it is in step", soon, in_step).await;
    proxy.cut();
    eventually("it is behind", soon, async || behind().await.filter(|seconds| *seconds > 4.0)).await;
    proxy.heal();
    eventually("it is in step again", soon, in_step).await;
}

#[test]
fn the_dashboard_shows_what_the_code_exports() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("docker/grafana/dashboards/stockroom.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let expressions: Vec<String> = targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    assert_exported(&expressions, 15);
}

#[test]
fn alerts_ask_for_what_the_code_exports_and_say_what_to_do() {
    for file in [
        "prometheus/prometheus.yaml",
        "grafana/provisioning/datasources/prometheus.yaml",
        "grafana/provisioning/dashboards/stockroom.yaml",
    ] {
        yaml(&read(&format!("docker/{file}")));
    }
    let rules = yaml(&read("docker/prometheus/alerts.yaml"));
    let groups = rules["groups"].as_sequence().unwrap();
    let rules: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_sequence().unwrap()).collect();
    let mut expressions = Vec::new();
    for rule in rules {
        let text = |value: &saphyr::YamlOwned| value.as_str().unwrap_or_default().to_owned();
        let name = text(&rule["alert"]);
        expressions.push(text(&rule["expr"]));
        for annotation in ["summary", "action"] {
            assert!(text(&rule["annotations"][annotation]).len() > 10, "{name} has no {annotation}");
        }
        assert!(["page", "ticket"].contains(&text(&rule["labels"]["severity"]).as_str()), "{name}");
    }
    assert_exported(&expressions, 8);
}

fn yaml(text: &str) -> saphyr::YamlOwned {
    use saphyr::LoadableYamlNode;
    saphyr::YamlOwned::load_from_str(text).unwrap().remove(0)
}
