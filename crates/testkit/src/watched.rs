//! What is watched in operation: the metrics that alert rules and dashboard ask for.

use std::collections::BTreeSet;
use std::path::Path;

const FILES: [&str; 2] = ["docker/prometheus/alerts.yaml", "docker/grafana/dashboards/stockroom.json"];

/// Every metric whose name begins with one of these, by which the alert rules and the dashboard decide what to say.
pub fn watched(prefixes: &[&str]) -> BTreeSet<String> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let texts = FILES.map(|file| std::fs::read_to_string(root.join(file)).expect("the files are there"));
    let words =
        texts.iter().flat_map(|text| text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'));
    let ours = words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)));
    ours.map(|word| word.strip_suffix("_count").unwrap_or(word).to_owned()).collect()
}

/// The metrics in the text that Prometheus reads: those that have a value, by name.
pub fn said(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split(['{', ' ']).next());
    names.map(|name| name.strip_suffix("_count").unwrap_or(name).to_owned()).collect()
}
