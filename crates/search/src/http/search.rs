//! `GET /api/search/products/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::get;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use web::{FromParams, Links, Money, Numbered, Param, ParamReader, Params, Rejected, Timestamp, one_of};

use crate::{Answer, CategoryCount, Facets, Filters, PriceCount, Query, Search, Shown, Sort, View};

/// Finds products
///
/// Every word of `q` must be found, in the title, the category or the description, which is also the order of the
/// results. The last word may be a beginning. Other forms of a word (mug, mugs) are found, too. A word with 4 letters or more forgives one typing error, one with 8 or
/// more two, and 3 letters or more are also found inside words, last of all. Case and accents do not matter; signs
/// alone are found literally.
#[utoipa::path(
    tag = "search",
    params(Parameters, Numbered),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = Results, description = "A page of products"))
)]
#[get("/api/search/products/")]
pub(crate) async fn search_products(
    _: Authorized<CatalogueRead>,
    search: Data<Search>,
    Params((asked, paging)): Params<(Parameters, Numbered)>,
    links: Links,
) -> web::Result<Json<Results>> {
    let view = View { store: asked.store_id, highlight: asked.highlight.unwrap_or(false) };
    let answer = search.products(asked.query(paging), view).await?;
    Ok(Json(Results::new(answer, view, paging, &links)))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Words to find; the first 16 count.
    #[param(example = "steel bottle")]
    q: Option<String>,
    /// Name (in any case) or id of a category. May be given several times, for any of them.
    #[param(required = false, style = Form, explode)]
    category: Vec<String>,
    /// The least price.
    #[param(value_type = Option<String>, pattern = r"^-?\d{1,12}(\.\d{1,6})?$")]
    min_price: Option<Money>,
    /// The highest price.
    #[param(value_type = Option<String>, pattern = r"^-?\d{1,12}(\.\d{1,6})?$")]
    max_price: Option<Money>,
    /// Adds what this store has of each product, and is the store that `in_stock` means.
    store_id: Option<i64>,
    /// `true` for only what is in stock: at the store, or without one anywhere.
    in_stock: Option<bool>,
    /// By default `relevance` with `q`, else `newest`.
    #[param(inline)]
    sort: Option<SortName>,
    /// `true` to count the results by category and price.
    facets: Option<bool>,
    /// `true` for titles in HTML with what matched in `<em>`.
    highlight: Option<bool>,
}

/// The legal values of `sort`.
#[derive(Debug, Clone, Copy, ToSchema)]
pub(crate) enum SortName {
    #[schema(rename = "price")]
    Price,
    #[schema(rename = "-price")]
    PriceDescending,
    #[schema(rename = "newest")]
    Newest,
    #[schema(rename = "relevance")]
    Relevance,
}

impl Param for SortName {
    fn parse(text: &str) -> Result<Self, Rejected> {
        let names = [
            ("price", Self::Price),
            ("-price", Self::PriceDescending),
            ("newest", Self::Newest),
            ("relevance", Self::Relevance),
        ];
        one_of(text, &names)
    }
}

impl FromParams for Parameters {
    fn from_params(reader: &mut ParamReader) -> Self {
        Self {
            q: reader.optional("q"),
            category: reader.many("category"),
            min_price: reader.optional("min_price"),
            max_price: reader.optional("max_price"),
            store_id: reader.optional("store_id"),
            in_stock: reader.optional("in_stock"),
            sort: reader.optional("sort"),
            facets: reader.optional("facets"),
            highlight: reader.optional("highlight"),
        }
    }
}

impl Parameters {
    fn query(self, paging: Numbered) -> Query {
        Query {
            text: self.q,
            filters: Filters {
                categories: self.category,
                min_price: self.min_price.map(|price| price.0),
                max_price: self.max_price.map(|price| price.0),
                in_stock: self.in_stock.unwrap_or(false),
            },
            sort: self.sort.map(|sort| match sort {
                SortName::Price => Sort::Price,
                SortName::PriceDescending => Sort::PriceDescending,
                SortName::Newest => Sort::Newest,
                SortName::Relevance => Sort::Relevance,
            }),
            page: paging.page,
            page_size: paging.page_size,
            facets: self.facets.unwrap_or(false),
        }
    }
}

/// A page of found products.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchResults)]
pub(crate) struct Results {
    /// Results on all pages.
    count: i64,
    /// Address of the next page. Only the first 10,000 results can be paged through: the page that holds the last of them
    /// ends with it.
    #[schema(required, format = "uri")]
    next: Option<String>,
    /// Address of the previous page.
    #[schema(required, format = "uri")]
    previous: Option<String>,
    /// This page.
    #[schema(example = 1)]
    page: i64,
    /// Pages, at least 1.
    #[schema(example = 1)]
    total_pages: i64,
    /// The products of this page.
    results: Vec<Product>,
    /// Counts over all pages, with `facets=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    facets: Option<FacetCounts>,
    /// Only where nothing matches: what to relax, and what that would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = json!(["Without max_price there would be 14 results."]))]
    suggestions: Option<Vec<String>>,
}

/// A found product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundProduct)]
pub(crate) struct Product {
    #[schema(example = 10)]
    id: i64,
    #[schema(example = "Organic Milk")]
    title: String,
    #[schema(example = "A gallon, pasteurised.")]
    description: String,
    price: Money,
    /// The category's name.
    #[schema(example = "milk")]
    category: String,
    created_at: Timestamp,
    /// Units that the store of `store_id` has: 0 where it does not carry the product. Only with `store_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, example = 7)]
    inventory_quantity: Option<i32>,
    /// The title in HTML: what matched in `<em>`, everything else escaped. Only with `highlight=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Organic <em>Milk</em>")]
    highlight: Option<String>,
}

/// How the results spread. Each is counted without its own filter: it tells what another choice would give.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetCounts {
    /// Categories, the largest first. Those without a result are left out.
    categories: Vec<CategoryFacet>,
    /// Ranges of prices, the cheapest first. Those without a result are left out.
    prices: Vec<PriceFacet>,
}

/// Results in a category.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CategoryFacet {
    #[schema(example = 3)]
    id: i64,
    #[schema(example = "milk")]
    name: String,
    #[schema(minimum = 1)]
    count: i64,
}

/// Results in a range of prices, whose ends can be sent as `min_price` and `max_price`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceFacet {
    /// The least price.
    min_price: Money,
    /// The highest price; null in the last range.
    #[schema(required)]
    max_price: Option<Money>,
    #[schema(minimum = 1)]
    count: i64,
}

impl Results {
    fn new(answer: Answer, view: View, paging: Numbered, links: &Links) -> Self {
        let page = |number: i64| links.with(&[("page", Some(number.to_string()))]);
        let mut highlights = answer.highlights.unwrap_or_default().into_iter();
        let show = |shown: Shown| Product {
            id: shown.id,
            title: shown.title,
            description: shown.description,
            price: Money(shown.price),
            category: shown.category,
            created_at: Timestamp(shown.created_at),
            inventory_quantity: view.store.map(|_| shown.quantity.unwrap_or(0)),
            highlight: highlights.next(),
        };
        Self {
            count: answer.count,
            next: answer.has_next.then(|| page(paging.page + 1)),
            previous: (paging.page > 1).then(|| page(paging.page - 1)),
            page: paging.page,
            total_pages: answer.total_pages,
            results: answer.products.into_iter().map(show).collect(),
            facets: answer.facets.map(FacetCounts::from),
            suggestions: answer.advice,
        }
    }
}

impl From<Facets> for FacetCounts {
    fn from(facets: Facets) -> Self {
        let category = |CategoryCount { id, name, count }| CategoryFacet { id, name, count };
        let price =
            |PriceCount { min, max, count }| PriceFacet { min_price: Money(min), max_price: max.map(Money), count };
        Self {
            categories: facets.categories.into_iter().map(category).collect(),
            prices: facets.prices.into_iter().map(price).collect(),
        }
    }
}
