//! Style sheet, script and icon. Their addresses carry a version, so browsers keep them until they change.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::Path;

use crate::trouble::Trouble;

const STYLE: &str = include_str!("../assets/style.css");
const SCRIPT: &str = include_str!("../assets/admin.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// What the addresses of assets end in: another for other contents.
pub(crate) fn version() -> &'static str {
    static VERSION: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (STYLE, SCRIPT, ICON).hash(&mut hasher);
        format!("{:08x}", hasher.finish() as u32)
    });
    &VERSION
}

/// `GET /admin/assets/{name}`
pub(crate) async fn show(name: Path<String>) -> Result<HttpResponse, Trouble> {
    let (kind, text) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "admin.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return Err(Trouble::nothing()),
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    Ok(HttpResponse::Ok().content_type(kind).insert_header((CACHE_CONTROL, kept)).body(text))
}
