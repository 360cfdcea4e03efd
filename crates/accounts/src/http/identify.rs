//! Looking a token up before anything else is read, so that nobody without one learns more than that.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use secrecy::SecretString;

use crate::{Accounts, Identity, TokenError};

/// What became of the token that a request presented; left in its extensions for [`Authorized`](crate::Authorized).
pub(crate) struct Presented(pub(crate) Result<Identity, TokenError>);

/// Middleware, to be registered with `App::wrap(actix_web::middleware::from_fn(accounts::identify))`. Needs
/// [`Accounts`] as app data. Refuses nobody: that is up to the handlers. Requests without a token cost nothing.
///
/// # Errors
/// Those of inner middleware.
pub async fn identify<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if let (Some(token), Some(accounts)) = (bearer(request.headers()), request.app_data::<Data<Accounts>>().cloned()) {
        let identity = match token {
            Ok(token) => accounts.identify(&token).await,
            Err(error) => Err(error),
        };
        request.extensions_mut().insert(Presented(identity));
    }
    next.call(request).await
}

/// The token of `Authorization: Bearer <token>`. Other schemes are none of ours. Whoever sends the header twice, or
/// something unreadable in it, meant to send a token: a proxy may have looked at another one of them than we would.
fn bearer(headers: &HeaderMap) -> Option<Result<SecretString, TokenError>> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let line = lines.next()?;
    if lines.next().is_some() {
        return Some(Err(TokenError::Unreadable));
    }
    let Ok(text) = line.to_str() else { return Some(Err(TokenError::Unreadable)) };
    let (scheme, token) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let token = token.trim();
    match scheme.eq_ignore_ascii_case("bearer") {
        false => None,
        true if token.is_empty() => Some(Err(TokenError::Unreadable)),
        true => Some(Ok(SecretString::from(token))),
    }
}
