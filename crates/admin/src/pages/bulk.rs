//! One action on several rows: asked first, with their number, then done. On those that were ticked, one by one; or on
//! all that a list's filters let through.

use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::desk::Desk;
use crate::fields::Fields;
use crate::form::{Confirm, back, to_list};
use crate::list::{Action, Asked, List};
use crate::render::{Answer, Frame, go_to, page};
use crate::trouble::Trouble;

/// Rows at once, where each is ticked.
const MOST: usize = 500;

/// Rows at once, where all are meant that match: as many as take some seconds.
const MOST_OF_ALL: usize = 10_000;

/// A list whose rows can be acted upon together.
pub(crate) trait Bulk: List {
    /// Does it to one row.
    ///
    /// # Errors
    /// Those of the domain.
    async fn act(desk: &Desk, action: &str, id: &str) -> Result<(), Trouble>;

    /// How many rows the filters let through, counted up to `most`, and the moment of counting. Of lists that can be
    /// acted upon [all at once](List::ALL_AT_ONCE).
    ///
    /// # Errors
    /// Those of the domain.
    async fn count(_: &Desk, _: &Asked, _most: usize) -> Result<(usize, DateTime<Utc>), Trouble> {
        Err(Trouble::nothing())
    }

    /// Does it to up to `most` of the rows that the filters let through and that were there at the moment `seen`; to how
    /// many it was done.
    ///
    /// # Errors
    /// Those of the domain.
    async fn act_on_all(
        _: &Desk,
        _action: &str,
        _: &Asked,
        _seen: DateTime<Utc>,
        _most: usize,
    ) -> Result<usize, Trouble> {
        Err(Trouble::nothing())
    }
}

#[derive(Template)]
#[template(path = "tally.html")]
struct Tally {
    frame: Frame,
    title: String,
    done: usize,
    /// What was refused, and why.
    refused: Vec<(String, String)>,
    back: String,
}

/// `POST` of an action on rows.
pub(crate) async fn act<L: Bulk>(desk: Desk) -> Answer {
    let about = L::ABOUT;
    if desk.session.role < about.actors {
        return Err(Trouble::too_low(about.actors));
    }
    let came_from = back(&desk);
    let list = if came_from.is_empty() { about.path.to_owned() } else { came_from };
    let named = |name: &str| about.actions.iter().find(|action| action.name == name);
    if let Some(action) = named(desk.form.get("all")).filter(|_| L::ALL_AT_ONCE) {
        return act_on_all::<L>(desk, action, list).await;
    }
    let wanted = desk.form.get("action");
    let action = named(wanted);
    let mut ids: Vec<String> = desk.form.all("id").map(str::to_owned).collect();
    ids.dedup();
    let (Some(action), 1..=MOST) = (action, ids.len()) else { return Ok(go_to(&list)) };
    if desk.form.get("sure") != "yes" {
        let mut hidden: Vec<(String, String)> = ids.iter().map(|id| ("id".to_owned(), id.clone())).collect();
        hidden.extend([("action", wanted), ("sure", "yes")].map(|(name, value)| (name.to_owned(), value.to_owned())));
        hidden.push(("back".to_owned(), back(&desk)));
        let confirm = Confirm {
            frame: Frame::new(&desk),
            title: format!("{} {} selected: {}", ids.len(), if ids.len() == 1 { "row" } else { "rows" }, action.label),
            list: (about.path, about.title),
            notes: vec![action.question.to_owned()],
            button: format!("{} ({})", action.label, ids.len()),
            action: format!("{}bulk/", about.path),
            hidden,
            cancel: list,
            problem: None,
        };
        return confirm.show();
    }
    let (mut done, mut refused) = (0, Vec::new());
    for id in ids {
        match L::act(&desk, action.name, &id).await {
            Ok(()) => done += 1,
            Err(trouble) => refused.push((id, trouble.detail())),
        }
    }
    if refused.is_empty() {
        return Ok(go_to(&format!("{}&count={done}", to_list(about.path, &back(&desk), "bulk"))));
    }
    let title = format!("{}: {done} done, {} refused", action.label, refused.len());
    page(&Tally { frame: Frame::new(&desk), title, done, refused, back: list })
}

/// The same for all rows that match. What came after the question was not counted in it, so it is left alone.
async fn act_on_all<L: Bulk>(desk: Desk, action: &Action, list: String) -> Answer {
    let about = L::ABOUT;
    let narrowed = desk.form.exactly("match").to_owned();
    let fields = Fields::parse(narrowed.as_bytes());
    let asked = L::settle(&desk, Asked::read(L::sorts(&fields), &fields)).await?;
    let seen = desk.form.given("seen").and_then(|seen| DateTime::parse_from_rfc3339(seen).ok());
    if let (Some(seen), "yes") = (seen, desk.form.get("sure")) {
        let done = L::act_on_all(&desk, action.name, &asked, seen.to_utc(), MOST_OF_ALL).await?;
        return Ok(go_to(&format!("{}&count={done}", to_list(about.path, &back(&desk), "bulk"))));
    }
    let (count, seen) = L::count(&desk, &asked, MOST_OF_ALL + 1).await?;
    if count == 0 {
        return Ok(go_to(&list));
    }
    let (rows, first) = match count {
        1 => ("1 row matches".to_owned(), None),
        2..=MOST_OF_ALL => (format!("{count} rows match"), None),
        _ => (
            format!("More than {MOST_OF_ALL} rows match"),
            Some(format!("The first {MOST_OF_ALL} of them alone are taken. Do it again for the others.")),
        ),
    };
    let hidden = [("all", action.name), ("match", &narrowed), ("sure", "yes"), ("back", &back(&desk))];
    let mut hidden = hidden.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    hidden.push(("seen".to_owned(), seen.to_rfc3339_opts(SecondsFormat::Micros, true)));
    let confirm = Confirm {
        frame: Frame::new(&desk),
        title: format!("{rows}: {}", action.label),
        list: (about.path, about.title),
        notes: [Some(action.question.to_owned()), first].into_iter().flatten().collect(),
        button: format!("{} ({})", action.label, count.min(MOST_OF_ALL)),
        action: format!("{}bulk/", about.path),
        hidden,
        cancel: list,
        problem: None,
    };
    confirm.show()
}
