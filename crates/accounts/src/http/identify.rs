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
        let presented = Presented(accounts.identify(&token).await);
        request.extensions_mut().insert(presented);
    }
    next.call(request).await
}

/// The token of `Authorization: Bearer <token>`. Other schemes are none of ours.
fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| SecretString::from(token))
}
