//! The one middleware: around every request, whatever becomes of it.
//!
//! It names the request and its client, makes its path canonical, completes and writes the problem where there is one,
//! ends it where it takes too long, protects the answer, logs a failure of ours once, and counts.

use std::time::Instant;

use actix_web::Error as ActixError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::rt::time::timeout;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse, ResponseError};
use tracing::Instrument;

use crate::links::base_url;
use crate::patience::lost;
use crate::protection::protect;
use crate::{
    Client, Draining, Error, Patience, Problem, PublicUrl, RequestId, TraceParent, TrustedProxies, request_id, slash,
};

/// To be registered with `App::wrap(actix_web::middleware::from_fn(web::edge))`, outermost.
///
/// # Errors
/// Those of inner middleware.
pub async fn edge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let begun = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let client = client(&request);
    request.extensions_mut().insert(client);
    let asked_path = request.path().to_owned();
    slash::normalise(&mut request);
    let method = request.method().clone();
    if method == Method::HEAD {
        // Served as GET; the protocol layer leaves the body out.
        request.head_mut().method = Method::GET;
    }
    let trace = TraceParent::of(request.headers());
    let address = client.address.map(tracing::field::display);
    let (id_text, trace_id) = (&id.0, trace.trace_id());
    let span = tracing::info_span!("request", id = %id_text, trace_id, address, method = %method, path = %asked_path);
    let patience = request.app_data::<Patience>().and_then(|patience| patience.with(&method, request.headers()));
    // The request is lost with what is under way.
    let base = base_url(request.request());
    let answering = next.call(request).instrument(span.clone());
    let answer = match patience {
        None => answering.await,
        Some(limit) => match timeout(limit, answering).await {
            Ok(answer) => answer,
            Err(_) => {
                let late = late(&method, &base, &asked_path, &id, client);
                span.in_scope(|| {
                    tracing::error!(status = late.status().as_u16(), "failed: no answer within {limit:?}");
                    measure("late".into(), late.status(), begun);
                });
                return Err(InternalError::from_response("late", late).into());
            }
        },
    };
    let mut answer = answer?.map_into_boxed_body();
    if answer.request().app_data::<Data<Draining>>().is_some_and(|draining| draining.has_begun()) {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        answer.headers_mut().insert(HeaderName::from_static(request_id::HEADER), value);
    }
    protect(answer.headers_mut(), client.is_secure);
    let answer = complete_problem(answer, &asked_path, &id);
    span.in_scope(|| report(&answer, begun));
    Ok(answer)
}

fn client(request: &ServiceRequest) -> Client {
    let nobody = TrustedProxies::default();
    let trusted = request.app_data::<TrustedProxies>().unwrap_or(&nobody);
    Client::of(request.peer_addr(), request.headers(), trusted, request.app_data::<PublicUrl>())
}

fn complete_problem(mut answer: ServiceResponse<BoxBody>, path: &str, id: &RequestId) -> ServiceResponse<BoxBody> {
    let Some(mut problem) = answer.response_mut().extensions_mut().remove::<Problem>() else { return answer };
    problem.complete(&base_url(answer.request()), path, &id.0);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    answer.map_body(|_, _| BoxBody::new(body))
}

/// Has the numbers of the edge begin at zero: of one that first appears at 1, nobody can tell that it rose. To be called
/// once the recorder is installed.
pub fn begin_metrics() {
    metrics::describe_counter!(FAULTS, "Answers with status 500: faults of ours");
    metrics::counter!(FAULTS).increment(0);
}

const FAULTS: &str = "http_faults_total";

/// The answer to whoever has waited for too long, complete.
fn late(method: &Method, base: &str, path: &str, id: &RequestId, client: Client) -> HttpResponse {
    let mut answer = lost(method).error_response();
    let problem = answer.extensions_mut().remove::<Problem>();
    if let Some(mut problem) = problem {
        problem.complete(base, path, &id.0);
        answer = answer.set_body(BoxBody::new(serde_json::to_vec(&problem).unwrap_or_default()));
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        answer.headers_mut().insert(HeaderName::from_static(request_id::HEADER), value);
    }
    protect(answer.headers_mut(), client.is_secure);
    answer
}

fn measure(route: String, status: StatusCode, begun: Instant) -> u128 {
    let elapsed = begun.elapsed();
    let labels = [("route", route), ("status", status.as_u16().to_string())];
    metrics::histogram!("http_request_seconds", &labels).record(elapsed.as_secs_f64());
    elapsed.as_micros()
}

fn report(answer: &ServiceResponse<BoxBody>, begun: Instant) {
    let status = answer.status();
    let route = answer.request().match_pattern().unwrap_or_else(|| "unmatched".into());
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        metrics::counter!(FAULTS).increment(1);
    }
    let micros = measure(route, status, begun);
    let error = answer.response().error();
    // A 503 without an error is what `/readyz/` was asked for, such as during a start: an answer, and no failure.
    let is_answer = error.is_none() && status == StatusCode::SERVICE_UNAVAILABLE;
    if status.is_server_error() && !is_answer {
        let cause = error.and_then(|error| error.as_error::<Error>()).and_then(Error::cause);
        match (cause, error) {
            (Some(cause), _) => tracing::error!(status = status.as_u16(), micros, error = ?cause, "failed: {cause}"),
            (None, Some(error)) => tracing::error!(status = status.as_u16(), micros, "failed: {error}"),
            (None, None) => tracing::error!(status = status.as_u16(), micros, "failed"),
        }
    } else {
        tracing::debug!(status = status.as_u16(), micros, "answered");
    }
}
