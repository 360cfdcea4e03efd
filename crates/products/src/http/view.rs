//! The catalogue as clients see it.

use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use web::{Etag, IfMatch, Money, Timestamp};

/// What can be sold.
#[derive(Serialize, ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductView {
    /// Id.
    #[schema(example = 10)]
    id: i64,
    /// The merchant's own key, unique when given.
    #[schema(required, example = "TEA-0010")]
    sku: Option<String>,
    /// Title.
    #[schema(example = "Green tea, 100 g")]
    title: String,
    /// Description, possibly empty.
    #[schema(example = "First harvest, loose leaves.")]
    description: String,
    /// Price of one unit.
    price: Money,
    /// Name of its category.
    #[schema(example = "Tea")]
    category: String,
    /// Id of its category.
    #[schema(example = 3)]
    category_id: i64,
    /// When it was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
}

impl From<crate::Product> for ProductView {
    fn from(product: crate::Product) -> Self {
        Self {
            id: product.id,
            sku: product.sku,
            title: product.title,
            description: product.description,
            price: Money(product.price),
            category: product.category,
            category_id: product.category_id,
            created_at: Timestamp(product.created_at),
            updated_at: Timestamp(product.updated_at),
        }
    }
}

/// Answers with a product and its tag.
pub(crate) fn with_etag(mut answer: HttpResponseBuilder, product: crate::Product) -> web::Result<HttpResponse> {
    let view = ProductView::from(product);
    let etag = Etag::of(&view)?;
    Ok(answer.insert_header(("ETag", etag.as_str())).json(view))
}

/// Whether a product is as the client saw it.
pub(crate) fn is_what_was_seen(seen: &IfMatch, product: &crate::Product) -> bool {
    Etag::of(&ProductView::from(product.clone())).is_ok_and(|etag| seen.allows(&etag))
}

/// The header that [`IfMatch`] reads.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its documentation is used")]
pub(crate) struct IfMatchHeader {
    /// The `ETag` of the product as it was read: refuse if it is another by now.
    #[param(rename = "If-Match", nullable = false)]
    if_match: Option<String>,
}

/// What a product is filed under.
#[derive(Serialize, ToSchema)]
#[schema(as = Category)]
pub(crate) struct CategoryView {
    /// Id.
    #[schema(example = 3)]
    id: i64,
    /// Name; no two categories have the same, whatever its case.
    #[schema(example = "Tea")]
    name: String,
}

impl From<crate::Category> for CategoryView {
    fn from(category: crate::Category) -> Self {
        Self { id: category.id, name: category.name }
    }
}
