//! Forms: fields with what is wrong beside them, and where one goes once they are saved.

mod field;
mod history;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Serialize;
use web::{Coded, Etag, Fault, Place};

use crate::desk::Desk;
use crate::fields::{Fields, encoded, local, with};
use crate::list::Choices;
use crate::render::{Answer, Frame, go_to, name_of, page_with};
use crate::trouble::Trouble;

pub(crate) use field::{Field, Input};
pub(crate) use history::{Past, changes, history, rest};

/// The form of an object.
pub(crate) struct Form {
    /// What the page is called.
    pub(crate) title: String,
    /// The list that it belongs to: address and name.
    pub(crate) list: (&'static str, &'static str),
    /// Where it is sent.
    pub(crate) action: String,
    pub(crate) fields: Vec<Field>,
    /// Which state of the object it was made from, where that matters.
    pub(crate) seen: String,
    /// Whether whoever sees it may save it.
    pub(crate) may_save: bool,
    /// Whether another can be added right after.
    pub(crate) another: bool,
    /// Where the object can be deleted.
    pub(crate) delete: Option<String>,
    /// Related pages: address and name.
    pub(crate) links: Vec<(String, String)>,
    /// A related page that is chosen from many.
    pub(crate) jump: Option<Jump>,
    /// What was done to the object so far; `None` for one that is yet to be made.
    pub(crate) history: Option<Vec<Past>>,
    /// What is wrong with the form as a whole.
    pub(crate) problem: Option<String>,
}

/// A small form that leads to a related page.
pub(crate) struct Jump {
    pub(crate) action: &'static str,
    pub(crate) label: &'static str,
    /// What is chosen: its name, and from what.
    pub(crate) name: &'static str,
    pub(crate) choices: Choices,
    /// What goes with it.
    pub(crate) hidden: (&'static str, String),
}

#[derive(Template)]
#[template(path = "form.html")]
struct Page {
    frame: Frame,
    form: Form,
    /// The list that one came from, as it was, if it is known; and the same as a value in an address.
    back: String,
    back_encoded: String,
    /// Where the link at the top leads, and what it says.
    crumb: (String, &'static str),
}

impl Form {
    /// A form with these fields.
    pub(crate) fn new(title: impl Into<String>, list: (&'static str, &'static str), fields: Vec<Field>) -> Self {
        Self {
            title: title.into(),
            list,
            action: String::new(),
            fields,
            seen: String::new(),
            may_save: true,
            another: false,
            delete: None,
            links: Vec::new(),
            jump: None,
            history: None,
            problem: None,
        }
    }

    /// The form as it is.
    pub(crate) fn show(self, desk: &Desk) -> Answer {
        self.answer(StatusCode::OK, desk)
    }

    /// The form once more, as it was filled in, with what is wrong beside each field; what belongs to none stands above.
    pub(crate) fn again(mut self, desk: &Desk, faults: &[Fault]) -> Answer {
        self.fill(&desk.form);
        desk.form.get("seen").clone_into(&mut self.seen);
        let mut elsewhere: Vec<&str> = self.problem.as_deref().into_iter().collect();
        for fault in faults {
            let name = match &fault.place {
                Place::Pointer(pointer) => pointer.trim_start_matches('/').split('/').next().unwrap_or_default(),
                Place::Parameter(name) => name,
            };
            match self.fields.iter_mut().find(|field| field.name == name) {
                Some(field) => field.fault = Some(fault.detail.clone()),
                None => elsewhere.push(&fault.detail),
            }
        }
        self.problem = (!elsewhere.is_empty()).then(|| elsewhere.join(" "));
        self.answer(StatusCode::UNPROCESSABLE_ENTITY, desk)
    }

    /// The same, with what a domain said against it; what is our fault, or what is gone, is a page of its own.
    pub(crate) fn refused<E: Coded>(mut self, desk: &Desk, error: E) -> Answer {
        let status = error.code().status();
        if status.is_server_error() || status == StatusCode::NOT_FOUND {
            return Err(error.into());
        }
        let faults = error.faults();
        if faults.is_empty() {
            self.problem = error.detail();
        }
        self.again(desk, &faults)
    }

    fn fill(&mut self, given: &Fields) {
        for field in &mut self.fields {
            field.fill(given);
        }
    }

    fn answer(self, status: StatusCode, desk: &Desk) -> Answer {
        let (back, crumb) = (back(desk), crumb(desk, self.list));
        page_with(status, &Page { frame: Frame::new(desk), form: self, back_encoded: encoded(&back), back, crumb })
    }
}

/// The address of the list that one came from, as it was; empty where it is not known.
pub(crate) fn back(desk: &Desk) -> String {
    let given = desk.form.given("back").or(desk.query.given("back")).unwrap_or_default();
    local(given).unwrap_or_default().to_owned()
}

/// Where the link back leads, and what it says: the list that one came from, or else the object's own.
pub(crate) fn crumb(desk: &Desk, own: (&str, &'static str)) -> (String, &'static str) {
    let back = back(desk);
    match name_of(&back) {
        Some(name) => (back, name),
        None => (own.0.to_owned(), own.1),
    }
}

/// The address of a page, with the way back.
pub(crate) fn keeping(desk: &Desk, address: &str) -> String {
    let back = back(desk);
    if back.is_empty() { address.to_owned() } else { with(address, "back", &back) }
}

/// Which state of an object a form was made from: equal for equal ones alone.
pub(crate) fn state(facts: &impl Serialize) -> String {
    Etag::of(facts).map_or_else(|_| String::new(), |tag| tag.as_str().trim_matches('"').to_owned())
}

/// Where to go once an object is saved: what the button said.
pub(crate) fn saved(desk: &Desk, list: &str, object: &str, done: &str) -> HttpResponse {
    match desk.form.get("then") {
        "stay" => go_to(&keeping(desk, &with(object, "done", done))),
        "another" => go_to(&keeping(desk, &with(&format!("{list}new/"), "done", done))),
        _ => go_to(&to_list(list, &back(desk), done)),
    }
}

/// The list as it was, with a sentence about what was done.
pub(crate) fn to_list(list: &str, back: &str, done: &str) -> String {
    with(if back.is_empty() { list } else { back }, "done", done)
}

/// The answer of a page that asks before something is done that cannot be undone.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct Confirm {
    pub(crate) frame: Frame,
    pub(crate) title: String,
    pub(crate) list: (&'static str, &'static str),
    /// What depends on it, and what becomes of that.
    pub(crate) notes: Vec<String>,
    /// What the button says.
    pub(crate) button: String,
    /// Where it is sent, and with what.
    pub(crate) action: String,
    pub(crate) hidden: Vec<(String, String)>,
    /// Where one goes who would rather not.
    pub(crate) cancel: String,
    pub(crate) problem: Option<String>,
}

impl Confirm {
    /// The page.
    pub(crate) fn show(&self) -> Answer {
        let status = if self.problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
        page_with(status, self)
    }

    /// The page once more, with what a domain said against it.
    pub(crate) fn refused<E: Coded>(mut self, error: E) -> Answer {
        let status = error.code().status();
        if status.is_server_error() || status == StatusCode::NOT_FOUND {
            return Err(Trouble::from(error));
        }
        self.problem = error.detail();
        self.show()
    }
}
