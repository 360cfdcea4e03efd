//! Several extractors whose faults are told together.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::{Code, Error};

/// Extractor of what several others extract, such as the query and the body: `All<(Params<P>, Json<T>)>`. One after
/// the other, the first that fails would hide what is wrong with the rest.
///
/// Faults are put together. What is no fault of a place, such as a body that is no JSON at all, is told first and alone.
#[derive(Debug, Clone)]
pub struct All<T>(pub T);

macro_rules! all {
    ($($name:ident: $type:ident),*) => {
        impl<$($type),*> FromRequest for All<($($type),*)>
        where
            $($type: FromRequest<Error = Error> + 'static),*
        {
            type Error = Error;
            type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                $(let $name = $type::from_request(request, payload);)*
                Box::pin(async move {
                    $(let $name = $name.await;)*
                    match ($($name),*) {
                        ($(Ok($name)),*) => Ok(Self(($($name),*))),
                        ($($name),*) => Err(together([$($name.err()),*])),
                    }
                })
            }
        }
    };
}

all!(first: A, second: B);
all!(first: A, second: B, third: C);

fn together<const N: usize>(errors: [Option<Error>; N]) -> Error {
    let mut faults = Vec::new();
    for error in errors.into_iter().flatten() {
        match error.code() {
            Code::Invalid => faults.extend(error.into_faults()),
            _ => return error,
        }
    }
    Error::invalid(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;

    fn wrong(name: &str) -> Option<Error> {
        Some(Error::invalid(vec![Fault::parameter(name, "invalid_type", "Must be another.")]))
    }

    #[test]
    fn faults_are_put_together_in_their_order() {
        let error = together([wrong("one"), None, wrong("two")]);
        assert_eq!(error.code(), Code::Invalid);
        let places: Vec<String> = error.into_faults().iter().map(|fault| format!("{:?}", fault.place)).collect();
        assert_eq!(places, ["Parameter(\"one\")", "Parameter(\"two\")"]);
    }

    #[test]
    fn what_cannot_be_read_at_all_goes_first() {
        let error = together([wrong("one"), Some(Error::new(Code::TooLarge))]);
        assert_eq!(error.code(), Code::TooLarge);
    }
}
