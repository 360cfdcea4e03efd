//! What a handler gets.

use std::future::{Ready, ready};

use accounts::{Accounts, Actor, Session};
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use cache::Cache;
use chrono::{DateTime, Utc};
use db::{Clock, Connection, Database};
use orders::Orders;
use search::Search;
use web::{Client, Code, RequestId, TraceParent};

use crate::Site;
use crate::fields::Fields;
use crate::trouble::Trouble;

/// Who acts, what was asked or sent, and the services. The guard has let this request through: its role suffices, and a
/// form carries the token of this session.
pub(crate) struct Desk {
    /// Who is signed in.
    pub(crate) session: Session,
    /// The parameters of the address.
    pub(crate) query: Fields,
    /// What was sent; empty for a GET.
    pub(crate) form: Fields,
    request: HttpRequest,
}

/// Left by the guard in a request's extensions.
pub(crate) struct Admitted {
    pub(crate) session: Session,
    pub(crate) form: Fields,
}

impl FromRequest for Desk {
    type Error = Trouble;
    type Future = Ready<Result<Self, Trouble>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(Admitted { session, form }) = request.extensions_mut().remove() else {
            return ready(Err(Trouble::foreign(None)));
        };
        let query = Fields::parse(request.query_string().as_bytes());
        ready(Ok(Self { session, query, form, request: request.clone() }))
    }
}

impl Desk {
    /// The path that was asked for.
    pub(crate) fn path(&self) -> &str {
        self.request.path()
    }

    /// A number in the path.
    ///
    /// # Errors
    /// Nothing is found under what is no number.
    pub(crate) fn id(&self, name: &str) -> Result<i64, Trouble> {
        self.request.match_info().get(name).and_then(|text| text.parse().ok()).ok_or_else(Trouble::nothing)
    }

    /// Who asks: their address, and whether they speak TLS.
    pub(crate) fn client(&self) -> Client {
        Self::client_of(&self.request)
    }

    /// The same of a request by whoever is not signed in.
    pub(crate) fn client_of(request: &HttpRequest) -> Client {
        let known = request.extensions().get::<Client>().copied();
        known.unwrap_or(Client { address: None, is_secure: false })
    }

    /// The name of the request, for the logs.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.request.extensions().get::<RequestId>().map(|id| id.0.clone())
    }

    /// Who acts, on behalf of this request.
    pub(crate) fn actor(&self) -> Actor {
        let actor = self.session.actor();
        let actor = self.request_id().into_iter().fold(actor, Actor::in_request);
        TraceParent::of(self.request.headers()).0.into_iter().fold(actor, Actor::in_trace)
    }

    /// The present moment.
    ///
    /// # Errors
    /// As [`service`](Self::service).
    pub(crate) fn now(&self) -> Result<DateTime<Utc>, Trouble> {
        Ok(self.service::<Clock>()?.now())
    }

    /// A connection to read from.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn connection(&self) -> Result<Connection, Trouble> {
        Ok(self.database()?.connection().await?)
    }

    /// PostgreSQL.
    ///
    /// # Errors
    /// As [`service`](Self::service).
    pub(crate) fn database(&self) -> Result<&Database, Trouble> {
        self.service()
    }

    /// Staff and tokens.
    ///
    /// # Errors
    /// As [`service`](Self::service).
    pub(crate) fn accounts(&self) -> Result<&Accounts, Trouble> {
        self.service()
    }

    /// Orders.
    ///
    /// # Errors
    /// As [`service`](Self::service).
    pub(crate) fn orders(&self) -> Result<&Orders, Trouble> {
        self.service()
    }

    /// The catalogue, to be searched.
    ///
    /// # Errors
    /// As [`service`](Self::service).
    pub(crate) fn search(&self) -> Result<&Search, Trouble> {
        self.service()
    }

    /// Redis, or memory.
    ///
    /// # Errors
    /// As [`service`](Self::service).
    pub(crate) fn cache(&self) -> Result<&Cache, Trouble> {
        self.service()
    }

    /// The site's own state.
    ///
    /// # Errors
    /// As [`service`](Self::service).
    pub(crate) fn site(&self) -> Result<&Site, Trouble> {
        self.service()
    }

    /// One of the services that the gateway provides.
    ///
    /// # Errors
    /// A fault of ours where it does not.
    fn service<T: 'static>(&self) -> Result<&T, Trouble> {
        let found = self.request.app_data::<Data<T>>().map(|data| data.get_ref());
        found.ok_or_else(|| Trouble::new(Code::Internal, "A part of the site is missing."))
    }
}
