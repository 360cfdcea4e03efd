//! The extractor that guards handlers.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use web::{Code, Coded, Error, RequestId, TraceParent};

use super::identify::Presented;
use crate::scope::{Needs, Scope};
use crate::{Accounts, Actor, Identity, TokenError};

/// Proof that the request may do what the scope `S` is for. As a handler's first argument it decides before any other
/// looks at the request: the token was looked up already, by [`identify`](crate::identify).
///
/// An open scope is everybody's unless the installation requires tokens. A token that is sent must be a good one in
/// any case: to take a request with a broken one for an anonymous one would be a guess.
#[derive(Debug)]
pub struct Authorized<S> {
    identity: Option<Identity>,
    actor: Actor,
    scope: PhantomData<S>,
}

impl<S> Authorized<S> {
    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whom the token speaks for; `None` without one, where none is needed.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Whether a token was sent that was made for `scope` too. Unlike `S`, an open one is not everybody's here.
    pub fn holds(&self, scope: Scope) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.scopes.contains(&scope))
    }

    /// Asks for one more scope, for what only some requests contain.
    ///
    /// # Errors
    /// 401 without a token, 403 with one that was not made for it.
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        admit(self.identity.clone().map(Ok), scope, false).map(drop)
    }

    /// Who acts, to be kept.
    pub fn into_actor(self) -> Actor {
        self.actor
    }
}

impl<S: Needs> FromRequest for Authorized<S> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let presented = request.extensions_mut().remove::<Presented>();
        let required = request.app_data::<Data<Accounts>>().is_none_or(|accounts| accounts.config.token_required);
        let identity = admit(presented.map(|presented| presented.0), S::SCOPE, S::SCOPE.is_open() && !required);
        ready(identity.map(|identity| {
            let actor = identity.as_ref().map_or_else(Actor::anonymous, Actor::from);
            let actor = match request.extensions().get::<RequestId>() {
                Some(id) => actor.in_request(&id.0),
                None => actor,
            };
            let actor = TraceParent::of(request.headers()).0.into_iter().fold(actor, Actor::in_trace);
            Self { identity, actor, scope: PhantomData }
        }))
    }
}

fn admit(
    presented: Option<Result<Identity, TokenError>>,
    scope: Scope,
    is_open: bool,
) -> Result<Option<Identity>, Error> {
    match presented {
        Some(Ok(identity)) if is_open || identity.scopes.contains(&scope) => Ok(Some(identity)),
        Some(Ok(_)) => Err(too_narrow(scope)),
        Some(Err(error)) => Err(invalid(error)),
        None if is_open => Ok(None),
        None => Err(Error::new(Code::Unauthorized)
            .with_detail(format!("Send a token with the scope {scope} as Authorization: Bearer <token>."))),
    }
}

/// RFC 6750, section 3.1.
fn invalid(error: TokenError) -> Error {
    let is_ours = error.code() != Code::Unauthorized;
    let error = Error::from(error);
    if is_ours { error } else { error.with_header(WWW_AUTHENTICATE.as_str(), r#"Bearer error="invalid_token""#) }
}

fn too_narrow(scope: Scope) -> Error {
    Error::new(Code::Forbidden)
        .with_detail(format!("This needs a token with the scope {scope}, which the token or its maker's role lacks."))
        .with_header(WWW_AUTHENTICATE.as_str(), format!(r#"Bearer error="insufficient_scope", scope="{scope}""#))
}
