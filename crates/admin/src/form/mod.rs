//! Forms: fields with what is wrong beside them, and where one goes once they are saved.

mod field;
mod history;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use web::{Coded, Fault, Place};

use crate::desk::Desk;
use crate::fields::{Fields, address, encoded};
use crate::list::Choice;
use crate::render::{Answer, Frame, go_to, page_with};
use crate::trouble::Trouble;

pub(crate) use field::{Field, Input};
pub(crate) use history::{Past, changes, history};

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
    pub(crate) choices: Vec<Choice>,
    /// What goes with it.
    pub(crate) hidden: (&'static str, String),
}

#[derive(Template)]
#[template(path = "form.html")]
struct Page {
    frame: Frame,
    form: Form,
    /// The list as it was, to go back to.
    back: String,
    back_encoded: String,
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
        let back = back(desk);
        page_with(status, &Page { frame: Frame::new(desk), form: self, back_encoded: encoded(&back), back })
    }
}

/// The query of the list that one came from.
pub(crate) fn back(desk: &Desk) -> String {
    let given = desk.form.given("back").or(desk.query.given("back")).unwrap_or_default();
    Fields::parse(given.as_bytes()).whole()
}

/// Where to go once an object is saved: what the button said.
pub(crate) fn saved(desk: &Desk, list: &str, object: &str, done: &str) -> HttpResponse {
    let back = back(desk);
    let keep = format!("done={done}&back={}", encoded(&back));
    match desk.form.get("then") {
        "stay" => go_to(&address(object, &keep)),
        "another" => go_to(&address(&format!("{list}new/"), &keep)),
        _ => go_to(&to_list(list, &back, done)),
    }
}

/// The list as it was, with a sentence about what was done.
pub(crate) fn to_list(list: &str, back: &str, done: &str) -> String {
    let done = format!("done={done}");
    address(list, &if back.is_empty() { done } else { format!("{back}&{done}") })
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
