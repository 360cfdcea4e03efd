//! The cookie of a session.

use actix_web::http::header::{COOKIE, HeaderMap};
use secrecy::{ExposeSecret, SecretString};

/// With TLS the `__Host-` prefix keeps other hosts of the domain from setting it (RFC 6265bis, 4.1.3.2).
fn name(secure: bool) -> &'static str {
    if secure { "__Host-session" } else { "session" }
}

/// What the browser presents.
pub(crate) fn read(headers: &HeaderMap, secure: bool) -> Option<SecretString> {
    let headers = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok());
    let mut cookies = headers.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(given, _)| *given == name(secure)).map(|(_, value)| SecretString::from(value))
}

/// `Set-Cookie` for a session that just began. The cookie ends with the browser, or when the session does.
pub(crate) fn made(secret: &SecretString, secure: bool) -> String {
    let attribute = if secure { "; Secure" } else { "" };
    format!("{}={}; Path=/; HttpOnly; SameSite=Strict{attribute}", name(secure), secret.expose_secret())
}

/// `Set-Cookie` that takes it away.
pub(crate) fn removed(secure: bool) -> String {
    format!("{}; Max-Age=0", made(&SecretString::from(""), secure))
}
