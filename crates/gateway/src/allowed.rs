//! Telling a wrong method (405) from an unknown path (404): the framework answers 404 to both, the spec knows better.

use actix_web::HttpRequest;
use actix_web::dev::ResourceDef;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;
use web::{Code, Error};

/// Pages that are not operations of the API. They are read.
const PAGES: &[&str] = &["/", "/openapi.json", "/problems/", "/problems/{code}/", "/swagger-ui/{tail}*"];

/// Every path, with the methods that it takes.
pub(crate) struct Allowed(Vec<(ResourceDef, String)>);

impl Allowed {
    pub(crate) fn from_spec(spec: &OpenApi) -> Self {
        let operations = spec.paths.paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item)));
        let pages = PAGES.iter().map(|path| (ResourceDef::new(*path), "GET, HEAD".to_owned()));
        Self(operations.chain(pages).collect())
    }

    /// The answer to a request that no route took.
    pub(crate) fn answer(&self, request: &HttpRequest) -> Result<actix_web::HttpResponse, Error> {
        match self.0.iter().find(|(path, _)| path.is_match(request.path())) {
            Some((_, methods)) => Err(Error::new(Code::MethodNotAllowed)
                .with_detail(format!("This address takes {methods}."))
                .with_header("Allow", methods)),
            None => Err(Error::new(Code::NotFound).with_detail("There is nothing at this address.")),
        }
    }
}

fn methods(item: &PathItem) -> String {
    let methods = [
        ("GET, HEAD", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PUT", item.put.is_some()),
        ("PATCH", item.patch.is_some()),
        ("DELETE", item.delete.is_some()),
    ];
    methods.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
