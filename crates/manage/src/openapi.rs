//! `manage openapi`: the API's description as files that lie in the repository, so that a change of the contract is
//! a change in a diff.

mod example;
mod postman;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

/// Without --write or --check, prints.
#[derive(Debug, Args)]
pub(crate) struct OpenApi {
    /// Write openapi.json and docs/postman_collection.json at the root of the repository
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Fail when one of them is not what would be written
    #[arg(long)]
    check: bool,
    /// Print the Postman collection instead of the OpenAPI document
    #[arg(long, conflicts_with_all = ["write", "check"])]
    postman: bool,
}

/// Does what was asked. The status is a failure when a checked file is stale.
pub(crate) fn run(options: &OpenApi) -> Result<ExitCode> {
    let document = gateway::openapi();
    let spec = format!("{}\n", document.to_pretty_json()?);
    let collection = postman::collection(&serde_json::to_value(&document)?);
    let collection = format!("{}\n", serde_json::to_string_pretty(&collection)?);
    if !options.write && !options.check {
        crate::show::text(if options.postman { &collection } else { &spec });
        return Ok(ExitCode::SUCCESS);
    }
    let root = root()?;
    let mut status = ExitCode::SUCCESS;
    for (name, content) in [("openapi.json", spec), ("docs/postman_collection.json", collection)] {
        let path = root.join(name);
        if fs::read_to_string(&path).is_ok_and(|written| written == content) {
            continue;
        }
        if options.check {
            eprintln!("manage: {name} is stale: run `make openapi`");
            status = ExitCode::FAILURE;
        } else {
            fs::create_dir_all(path.parent().unwrap_or(&root)).with_context(|| name.to_owned())?;
            fs::write(&path, content).with_context(|| name.to_owned())?;
            say!("Wrote {name}");
        }
    }
    Ok(status)
}

/// The nearest folder above that holds the workspace's lock file.
fn root() -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    let root = here.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    Ok(root.context("this is not inside the repository (no Cargo.lock here or above)")?.to_owned())
}
