//! The table of everything that can be answered instead of what was asked for.

use actix_web::http::StatusCode;

/// Makes the enum and its table in one act, so that no code lacks a row.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal, $help:literal;)*) => {
        /// A kind of problem: the `code` of a problem document. Each has a page at `/problems/{code}/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The code on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code),* }
            }

            /// The HTTP status that it is answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status),* }
            }

            /// A title, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title),* }
            }

            /// What it means and what to do about it: the text of its page.
            pub fn help(self) -> &'static str {
                match self { $(Code::$name => $help),* }
            }
        }
    };
}

codes! {
    Invalid = "invalid", BAD_REQUEST, "The request is not valid",
        "One or more fields or parameters are missing, of the wrong type or out of range. `errors` names every one of them with a pointer into the body or the parameter's name. Nothing was stored.";
    MalformedJson = "malformed_json", BAD_REQUEST, "The body cannot be read as JSON",
        "The body could not be parsed as JSON. `detail` says where parsing stopped. Nothing was stored.";
    TooDeep = "too_deep", BAD_REQUEST, "The page lies too deep",
        "Only the first 10,000 results of a search can be paged through. Narrow the search instead.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "A token is needed",
        "Send a valid token as `Authorization: Bearer <token>`.";
    Forbidden = "forbidden", FORBIDDEN, "The token does not open this",
        "The token is valid, but it was not made for this, or its maker's role has not enough rights. `detail` names the scope that is needed.";
    NotFound = "not_found", NOT_FOUND, "Not found",
        "Nothing exists at this address: the path is unknown, or the object that it names does not exist.";
    NoSuchPage = "no_such_page", NOT_FOUND, "There is no such page",
        "Pages are numbered from 1 to the last one. Follow `next` and `previous` instead of counting.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here",
        "The address exists but does not take this method. The header `Allow` lists those that it takes.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The body did not arrive in time",
        "A body must arrive within 10 seconds. Nothing was stored.";
    Conflict = "conflict", CONFLICT, "The request conflicts with what is stored",
        "The object changed, or is in a state that does not allow this. Read it again and decide anew.";
    TotalDiffers = "total_differs", CONFLICT, "The total is another one",
        "`expected_total` is not what the items cost now: a price has changed. `detail` and `errors` say the right one. Nothing was stored. Order again with that total, or without `expected_total`.";
    IdempotencyKeyInFlight = "idempotency_key_in_flight", CONFLICT, "The first request with this key is still being worked on",
        "A request with the same Idempotency-Key has not been answered yet. Repeat this one after the time in `Retry-After`.";
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "The object has changed",
        "The object is no longer what `If-Match` says. Read it again, with its new `ETag`, and decide anew. Nothing was stored.";
    TooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "Bodies may have up to 256 KiB. Split the request.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body has the wrong content type or encoding",
        "Send JSON with `Content-Type: application/json`, and without `Content-Encoding`.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The key belongs to another request",
        "This Idempotency-Key was used before with a different body. Use a new key for a new request.";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "This client has used up its requests for now. Try again after the time in `Retry-After`.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side",
        "The request failed because of a fault of ours. It was logged under `request_id`.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service cannot answer right now",
        "A part that this request needs is away or overloaded. Nothing was stored unless an earlier answer said so. Try again after the time in `Retry-After`.";
}
