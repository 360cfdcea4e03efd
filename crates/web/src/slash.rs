//! Every path works with and without its trailing slash, without a redirect.

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;

/// Rewrites the path to the form that routes are registered in: with a trailing slash, except where the last segment
/// is a file's name (it has a dot). Must run before routing.
pub(crate) fn normalise(request: &mut ServiceRequest) {
    let path = request.path();
    let Some(path) = canonical(path) else { return };
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = request.uri().clone().into_parts();
    let Ok(target) = target.parse() else { return };
    parts.path_and_query = Some(target);
    let Ok(uri) = Uri::from_parts(parts) else { return };
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
}

/// `None` when the path is canonical already. `/swagger-ui` is left alone: its page refers to files beside it, so it
/// must be redirected.
fn canonical(path: &str) -> Option<String> {
    if path == "/swagger-ui" {
        return None;
    }
    let bare = path.trim_end_matches('/');
    let is_file = bare.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let wanted = if is_file { bare.to_owned() } else { format!("{bare}/") };
    (wanted != path).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn paths_end_in_one_slash_and_files_in_none() {
        for (given, wanted) in [
            ("/orders", Some("/orders/")),
            ("/orders/", None),
            ("/orders//", Some("/orders/")),
            ("/", None),
            ("/openapi.json", None),
            ("/openapi.json/", Some("/openapi.json")),
            ("/swagger-ui", None),
            ("/swagger-ui/index.css", None),
        ] {
            assert_eq!(canonical(given).as_deref(), wanted, "{given}");
        }
    }
}
