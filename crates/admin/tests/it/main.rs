//! The staff site: by plain requests, which know cookies and forms but no JavaScript; and in a real browser.

#![expect(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod browser;
mod chromium;
mod confirmations;
mod dashboard;
mod days;
mod forms;
mod hostile;
mod importing;
mod jobs;
mod lists;
mod many;
mod pages;
mod safety;
mod sorts;
mod stock;
