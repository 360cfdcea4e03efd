//! Reading what a browser sends: a form, or a form with a file.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::BytesMut;
use futures_util::StreamExt;
use web::Code;

use crate::fields::Fields;
use crate::trouble::Trouble;

/// Bytes of a form, an uploaded file among them.
pub(crate) const MOST: usize = 2 * 1024 * 1024;

/// A form must arrive within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads a form of at most `most` bytes. The text of an uploaded file is a field like others.
///
/// # Errors
/// When it is larger, does not come in time, or is no form.
pub(crate) async fn read(headers: &HeaderMap, payload: Payload, most: usize) -> Result<Fields, Trouble> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = tokio::time::timeout(PATIENCE, gather(payload, most)).await;
    let body = body.map_err(|_| Trouble::new(Code::RequestTimeout, "The form did not arrive in time."))??;
    match multer::parse_boundary(kind) {
        Ok(boundary) => parts(body, boundary).await.map_err(|_| no_form()),
        Err(_) if kind.is_empty() || kind.starts_with("application/x-www-form-urlencoded") => Ok(Fields::parse(&body)),
        Err(_) => Err(no_form()),
    }
}

async fn gather(mut payload: Payload, most: usize) -> Result<BytesMut, Trouble> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| no_form())?;
        if body.len() + chunk.len() > most {
            let detail = format!("A form may have {} KiB at most. Nothing was changed.", most / 1024);
            return Err(Trouble::new(Code::TooLarge, &detail));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Bytes that are no UTF-8 are replaced, so that a preview shows where they are.
async fn parts(body: BytesMut, boundary: String) -> multer::Result<Fields> {
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(body.freeze())]);
    let mut multipart = multer::Multipart::new(stream, boundary);
    let mut fields = Fields::default();
    while let Some(part) = multipart.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        let value = String::from_utf8_lossy(&part.bytes().await?).into_owned();
        fields.push(name, value);
    }
    Ok(fields)
}

fn no_form() -> Trouble {
    Trouble::new(Code::UnsupportedMediaType, "This is not a form that a page of ours sends.")
}
