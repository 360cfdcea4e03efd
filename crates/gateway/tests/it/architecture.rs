//! The shape of the workspace: who may depend on whom, and who may write which table.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Crate → the crates of ours that it may depend on. What is not here is forbidden; above all: the kernel knows no
/// domain, domains know no process, jobs knows no domain, and stores knows no orders.
const ARROWS: &[(&str, &[&str])] = &[
    ("db", &[]),
    ("cache", &[]),
    ("web", &["db"]),
    ("outbox", &["db"]),
    ("products", &["cache", "db", "outbox", "web"]),
    ("stores", &["cache", "db", "outbox", "products", "web"]),
    ("orders", &["cache", "db", "outbox", "products", "stores", "web"]),
    ("search", &["cache", "db", "outbox", "web"]),
    ("jobs", &["db", "outbox"]),
    ("gateway", &["cache", "db", "orders", "products", "search", "stores", "web"]),
    ("worker", &["db", "jobs", "orders", "outbox", "search", "web"]),
    ("manage", &["db", "gateway", "jobs", "orders", "products", "search", "stores", "web"]),
    ("testkit", &["cache", "db", "gateway", "web"]),
];

#[test]
fn crates_depend_only_downwards() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in &metadata.packages {
        let allowed = arrows.get(package.name.as_str()).unwrap_or_else(|| panic!("{} has no place yet", package.name));
        for dependency in package.dependencies.iter().filter(|dependency| ours.contains(dependency.name.as_str())) {
            let name = dependency.name.as_str();
            let is_for_tests = dependency.kind == DependencyKind::Development;
            let is_fine =
                if is_for_tests { name == "testkit" || allowed.contains(&name) } else { allowed.contains(&name) };
            assert!(is_fine, "{} must not depend on {name}", package.name);
        }
    }
    assert_eq!(arrows.len(), ours.len(), "every arrow starts at a crate that exists");
}

#[test]
fn dependencies_are_named_once_and_sorted() {
    for package in MetadataCommand::new().no_deps().exec().unwrap().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        for section in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            let names = names_in(&manifest, section, |line| {
                assert!(
                    line.contains("workspace = true"),
                    "{}: versions belong into the workspace: {line}",
                    package.name
                );
            });
            assert!(names.is_sorted(), "{} {section}: {names:?}", package.name);
        }
    }
    let workspace = include_str!("../../../../Cargo.toml");
    let names = names_in(workspace, "# Everything from outside, sorted.", |_| ());
    assert!(names.is_sorted() && names.len() > 20, "{names:?}");
}

/// The dependencies listed from the line `from` to the next empty one.
fn names_in<'a>(manifest: &'a str, from: &str, each: impl Fn(&str)) -> Vec<&'a str> {
    let lines = manifest.lines().skip_while(|line| *line != from).skip(1).take_while(|line| !line.is_empty());
    lines.inspect(|line| each(line)).filter_map(|line| line.split(['.', ' ']).next()).collect()
}
