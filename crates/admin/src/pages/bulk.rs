//! One action on several rows: asked first, with their number, then done one by one.

use askama::Template;

use crate::desk::Desk;
use crate::form::{Confirm, back, to_list};
use crate::list::List;
use crate::render::{Answer, Frame, go_to, page};
use crate::trouble::Trouble;

/// Rows at once.
const MOST: usize = 500;

/// A list whose rows can be acted upon together.
pub(crate) trait Bulk: List {
    /// Does it to one row.
    ///
    /// # Errors
    /// Those of the domain.
    async fn act(desk: &Desk, action: &str, id: &str) -> Result<(), Trouble>;
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
    let wanted = desk.form.get("action");
    let action = about.actions.iter().find(|action| action.name == wanted);
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
