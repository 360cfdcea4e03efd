//! The shape of the workspace: who may depend on whom, and who may write which table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Crate → the crates of ours that it may depend on. What is not here is forbidden; above all: the kernel knows no
/// domain, domains know no process, jobs knows no domain, and stores knows no orders.
const ARROWS: &[(&str, &[&str])] = &[
    ("db", &[]),
    ("cache", &[]),
    ("web", &["db"]),
    ("outbox", &["db"]),
    ("accounts", &["cache", "db", "outbox", "web"]),
    ("products", &["accounts", "cache", "db", "outbox", "web"]),
    ("stores", &["accounts", "cache", "db", "outbox", "products", "web"]),
    ("orders", &["accounts", "cache", "db", "outbox", "products", "stores", "web"]),
    ("search", &["accounts", "cache", "db", "outbox", "web"]),
    ("jobs", &["db", "outbox"]),
    ("admin", &["accounts", "cache", "db", "jobs", "orders", "outbox", "products", "search", "stores", "web"]),
    ("gateway", &["accounts", "admin", "cache", "db", "orders", "outbox", "products", "search", "stores", "web"]),
    ("worker", &["db", "jobs", "orders", "outbox", "search", "web"]),
    ("manage", &["accounts", "db", "gateway", "jobs", "orders", "products", "search", "stores", "web"]),
    ("chaos", &["testkit"]),
    ("testkit", &["accounts", "cache", "db", "gateway", "web"]),
    ("bench", &["db"]),
];

/// Tools of development, which make rows of their own and are part of no process.
const TOOLS: &[&str] = &["testkit", "chaos", "bench"];

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
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.inspect(|line| each(line)).filter_map(|line| line.split(['.', ' ']).next()).collect()
}

/// Table → its owner, as the schema itself says: `COMMENT ON TABLE … 'Owned by the crate …'`.
fn owners() -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for step in sources(&Path::new(ROOT).join("migrations"), "up.sql") {
        let text = std::fs::read_to_string(step).unwrap();
        for statement in text.split("COMMENT ON TABLE ").skip(1) {
            let (table, rest) = statement.split_once(" IS ").unwrap();
            let comment = rest.split_once("';").unwrap().0;
            let owner = comment.split_once("Owned by the crate ").unwrap_or_else(|| panic!("who owns {table}?")).1;
            owners.insert(table.to_owned(), owner.split([',', '.']).next().unwrap().to_owned());
        }
    }
    owners
}

/// Files below `folder` whose name ends so.
fn sources(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found
}

/// Tables that a source file writes: in SQL, or through diesel's builders.
fn written(source: &str) -> Vec<&str> {
    let words: Vec<&str> = source
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let targets = words.windows(3).filter_map(|words| match words {
        ["INSERT" | "MERGE", "INTO", table] | ["DELETE", "FROM", table] => Some(*table),
        ["UPDATE" | "COPY" | "TRUNCATE", table, _] | ["diesel", "insert_into" | "update" | "delete", table] => {
            Some(*table)
        }
        _ => None,
    });
    targets.collect()
}

#[test]
fn a_table_has_one_owner_and_no_other_writer() {
    let owners = owners();
    assert!(owners.len() >= 11, "{owners:?}");
    let mut writers = BTreeSet::new();
    for (name, _) in ARROWS.iter().filter(|(name, _)| !TOOLS.contains(name)) {
        for path in sources(&Path::new(ROOT).join("crates").join(name).join("src"), ".rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for table in written(&source).into_iter().filter(|table| owners.contains_key(*table)) {
                assert_eq!(owners[table], *name, "{} writes {table}", path.display());
                writers.insert(table.to_owned());
            }
            let is_deed = path.ends_with("src/schema.rs") || *name == "db";
            assert!(is_deed || !source.contains("db::schema"), "{} goes around its crate's deed", path.display());
        }
    }
    assert!(writers.len() >= 8, "the search for writes found only {writers:?}");
}
