//! What the containers get of the settings that are documented.

use std::collections::BTreeSet;
use std::path::Path;

use saphyr::{LoadableYamlNode, YamlOwned};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Settings that the images or the servers beside them decide.
const DECIDED: &[&str] = &["HTTP_ADDR", "LOG_FORMAT", "REDIS_PREFIX", "AMQP_PREFIX"];

/// The variables in the first column of README's table.
fn documented() -> BTreeSet<String> {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let table = readme.split("| variable | meaning | default |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',').map(|name| name.trim().replace('`', "")));
    names.collect()
}

#[test]
fn every_setting_reaches_the_containers() {
    let compose = std::fs::read_to_string(Path::new(ROOT).join("docker/compose.yaml")).unwrap();
    let compose = YamlOwned::load_from_str(&compose).unwrap().remove(0);
    let names = |service: &str| -> Vec<String> {
        let environment = compose["services"][service]["environment"].as_mapping().unwrap();
        environment.keys().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let given: BTreeSet<String> = names("gateway").into_iter().chain(names("worker")).collect();
    let documented = documented();
    assert!(documented.len() > 20, "{documented:?}");
    let missing: Vec<&String> =
        documented.iter().filter(|name| !given.contains(*name) && !DECIDED.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "set outside, they would change nothing inside: {missing:?}");
}
