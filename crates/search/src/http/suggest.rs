//! `GET /api/search/suggest/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use web::{Client, FromParams, Param, ParamReader, Params, Rejected};

use super::limited;
use crate::search::is_too_short;
use crate::{Error, Search};

/// Suggests titles while somebody types
///
/// At most ten titles: those that begin with `q`, alphabetically, then those with a word that begins with it, then
/// those that contain it, and only then those that match with a typing error. Case and accents do not matter. Kept for
/// five minutes, but never older than the catalogue.
#[utoipa::path(
    tag = "search",
    params(Parameters),
    security((), ("bearer" = ["catalogue:read"])),
    responses(
        (status = 200, body = Suggestions, description = "Titles of products", headers(
            ("X-Cache" = String, description = "`hit`, `miss`, or `bypass` where the cache was not asked."),
        )),
        (status = 429, description = "Too many requests of this client, where the installation sets a limit"),
    )
)]
#[get("/api/search/suggest/")]
pub(crate) async fn suggest_titles(
    _: Authorized<CatalogueRead>,
    search: Data<Search>,
    Params(asked): Params<Parameters>,
    client: Client,
) -> web::Result<HttpResponse> {
    let fields = limited::count(&search, client)?;
    let (titles, outcome) = search.suggest(&asked.q).await?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("X-Cache", outcome.as_str()));
    fields.into_iter().for_each(|field| _ = answer.insert_header(field));
    Ok(answer.json(Suggestions { results: &titles }))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// What has been typed so far: at least 3 characters, without white space around. Over 200 nothing is found.
    #[param(min_length = 3, example = "bottle")]
    q: String,
}

impl FromParams for Parameters {
    fn from_params(reader: &mut ParamReader) -> Self {
        Self { q: reader.required::<Typed>("q").map(|typed| typed.0).unwrap_or_default() }
    }
}

/// What is long enough for a suggestion.
struct Typed(String);

impl Param for Typed {
    fn parse(text: &str) -> Result<Self, Rejected> {
        match is_too_short(text) {
            true => Err(Rejected::new("too_short", Error::TooShort.to_string())),
            false => Ok(Self(text.to_owned())),
        }
    }
}

/// Suggested titles.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Suggestions<'a> {
    /// Titles, the best first, none twice.
    #[schema(max_items = 10, example = json!(["Chocolate Bar", "Chocolate Milk"]))]
    results: &'a [String],
}
