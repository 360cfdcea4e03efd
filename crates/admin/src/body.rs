//! Reading what a browser sends: a form, or a form with a file.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::BytesMut;
use futures_util::StreamExt;
use percent_encoding::percent_decode;
use web::Code;

use crate::fields::{Fields, lines};
use crate::trouble::Trouble;

/// Bytes of a form, an uploaded file among them.
pub(crate) const MOST: usize = 2 * 1024 * 1024;

/// A form must arrive within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads a form of at most `most` bytes. The text of an uploaded file is a field like others.
///
/// # Errors
/// When it is larger, does not come in time, is no form, or holds what no text can.
pub(crate) async fn read(headers: &HeaderMap, payload: Payload, most: usize) -> Result<Fields, Trouble> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(too_large(most));
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = tokio::time::timeout(PATIENCE, gather(payload, most)).await;
    let body = body.map_err(|_| Trouble::new(Code::RequestTimeout, "The form did not arrive in time."))??;
    match multer::parse_boundary(kind) {
        Ok(boundary) => parts(body, boundary).await,
        Err(_) if kind.is_empty() || kind.starts_with("application/x-www-form-urlencoded") => pairs(&body),
        Err(_) => Err(no_form()),
    }
}

async fn gather(mut payload: Payload, most: usize) -> Result<BytesMut, Trouble> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| no_form())?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn too_large(most: usize) -> Trouble {
    Trouble::new(Code::TooLarge, &format!("A form may have {} KiB at most. Nothing was changed.", most / 1024))
}

/// Reads `a=b&c=d`.
fn pairs(body: &[u8]) -> Result<Fields, Trouble> {
    let decoded = |text: &[u8]| {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&spaced).collect::<Vec<u8>>()
    };
    let mut fields = Fields::default();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || decoded(halves.next().unwrap_or_default());
        let name = String::from_utf8_lossy(&half()).into_owned();
        let value = text(&name, half())?;
        fields.push(name, value);
    }
    Ok(fields)
}

async fn parts(body: BytesMut, boundary: String) -> Result<Fields, Trouble> {
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(body.freeze())]);
    let mut multipart = multer::Multipart::new(stream, boundary);
    let mut fields = Fields::default();
    while let Some(part) = multipart.next_field().await.map_err(|_| no_form())? {
        let name = part.name().unwrap_or_default().to_owned();
        let value = part.bytes().await.map_err(|_| no_form())?;
        let value = text(&name, value.into())?;
        fields.push(name, value);
    }
    Ok(fields)
}

/// The text of a field. Letters are never put in the place of bytes that are none, and PostgreSQL has no NUL in text: such
/// a form is refused, as the API refuses it.
fn text(name: &str, bytes: Vec<u8>) -> Result<String, Trouble> {
    let (bytes, place, what) = match String::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => return Ok(text),
            Some(place) => (text.into_bytes(), place, "holds a NUL character, which no text may have"),
        },
        Err(error) => {
            let place = error.utf8_error().valid_up_to();
            (error.into_bytes(), place, "is not UTF-8")
        }
    };
    let before = lines(&String::from_utf8_lossy(&bytes[..place]));
    let line = before.matches('\n').count() + 1;
    let detail = match bytes.contains(&b'\n') || bytes.contains(&b'\r') {
        true => format!("Line {line} of {name} {what}. Nothing was changed."),
        false => format!("What was given as {name} {what}. Nothing was changed."),
    };
    Err(Trouble::new(Code::Invalid, &detail))
}

fn no_form() -> Trouble {
    Trouble::new(Code::UnsupportedMediaType, "This is not a form that a page of ours sends.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_written() {
        let fields = pairs(b"a=b+c%2B%26&&name=caf%C3%A9&x&y==z&r=\xef\xbf\xbd").unwrap();
        let values = ["a", "name", "x", "y", "r"].map(|name| fields.get(name).to_owned());
        assert_eq!(values, ["b c+&", "caf\u{e9}", "", "=z", "\u{fffd}"]);
    }

    #[test]
    fn what_is_no_text_is_refused_and_its_place_named() {
        for (body, told) in [
            (&b"csrf=1&name=%ff%fe"[..], "What was given as name is not UTF-8."),
            (b"name=caf\xe9", "What was given as name is not UTF-8."),
            (b"title=a%00b", "What was given as title holds a NUL character"),
            (b"file=sku%0D%0A1%0D%0Acaf%e9", "Line 3 of file is not UTF-8."),
            (b"file=sku%0D1%00%0D2", "Line 2 of file holds a NUL character"),
        ] {
            let detail = pairs(body).unwrap_err().detail();
            assert!(detail.starts_with(told), "{detail}");
        }
    }
}
