//! `GET /problems/` and `GET /problems/{code}/`: where the `type` of a problem leads.

use std::fmt::Write as _;

use actix_web::web::Path;
use actix_web::{HttpResponse, get};
use web::{Code, Error};

/// Every kind of problem.
#[get("/problems/")]
pub(crate) async fn list() -> HttpResponse {
    let mut rows = String::new();
    for code in Code::ALL {
        let (name, status, title) = (code.as_str(), code.status().as_u16(), code.title());
        _ = write!(rows, "<li><a href=\"/problems/{name}/\"><code>{name}</code></a> ({status}): {title}</li>");
    }
    super::html("Problems", &format!("<ul>{rows}</ul>"))
}

/// One kind of problem.
#[get("/problems/{code}/")]
pub(crate) async fn page(code: Path<String>) -> Result<HttpResponse, Error> {
    let code = Code::ALL.iter().find(|known| known.as_str() == code.as_str());
    let code = code.ok_or_else(|| Error::new(Code::NotFound).with_detail("There is no problem of this name."))?;
    let (name, status, help) = (code.as_str(), code.status(), code.help());
    let body = format!(
        "<p><code>{name}</code>, status {status}</p><p>{help}</p><p><a href=\"/problems/\">All problems</a></p>"
    );
    Ok(super::html(code.title(), &body))
}
