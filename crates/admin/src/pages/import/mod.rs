//! CSV files by upload: first what they would change, then the change.
//!
//! What was shown is done, or nothing: the second form brings the file once more with a mark of what the preview said,
//! and where the same file would by now do something else, the preview is shown anew.

mod products;
mod stock;
mod table;

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::StatusCode;
use askama::Template;

use crate::desk::Desk;
use crate::list::Choice;
use crate::render::{Answer, Frame, go_to, page_with};
use crate::trouble::Trouble;

/// Changes that a preview names one by one; the others are counted.
const SHOWN: usize = 200;

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Fate {
    /// It makes something.
    New(String),
    /// It changes something: name, before, after.
    Changes(Vec<(&'static str, String, String)>),
    /// All is as it says already.
    Same,
    /// It is left out.
    Wrong(String),
}

/// A row of the preview.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Row {
    line: u64,
    /// What it is about.
    about: String,
    fate: Fate,
}

/// What a file would do.
enum Plan {
    Products(Vec<(Row, Option<products::Work>)>),
    Stock(Vec<(Row, Option<stock::Work>)>),
}

impl Plan {
    async fn make(desk: &Desk, kind: &str, text: &str) -> Result<Result<Self, String>, Trouble> {
        let columns: &[&str] = match kind {
            "products" => &products::COLUMNS,
            "stock" => &stock::COLUMNS,
            _ => return Ok(Err("Choose what the rows are: products or stock.".into())),
        };
        let lines = match table::read(text, columns) {
            Ok(lines) => lines,
            Err(problem) => return Ok(Err(problem)),
        };
        Ok(Ok(match kind {
            "stock" => Self::Stock(stock::plan(desk, &lines).await?),
            _ => Self::Products(products::plan(desk, &lines).await?),
        }))
    }

    fn rows(&self) -> Vec<&Row> {
        match self {
            Self::Products(rows) => rows.iter().map(|(row, _)| row).collect(),
            Self::Stock(rows) => rows.iter().map(|(row, _)| row).collect(),
        }
    }

    /// Another for another plan.
    fn mark(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.rows().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Does it, whole or not at all; `false` where something was changed meanwhile.
    async fn carry_out(self, desk: &Desk) -> Result<bool, Trouble> {
        match self {
            Self::Products(rows) => {
                products::carry_out(desk, rows.into_iter().filter_map(|(_, work)| work).collect()).await
            }
            Self::Stock(rows) => stock::carry_out(desk, rows.into_iter().filter_map(|(_, work)| work).collect()).await,
        }
    }
}

#[derive(Template)]
#[template(path = "import.html")]
struct Page {
    frame: Frame,
    kinds: Vec<Choice>,
    kind: String,
    preview: Option<Preview>,
    problem: Option<String>,
}

struct Preview {
    text: String,
    mark: String,
    new: usize,
    changed: usize,
    same: usize,
    wrong: usize,
    /// Those that are wrong first, then those that change something.
    rows: Vec<Row>,
    /// How many more change something.
    more: usize,
}

impl Preview {
    fn of(plan: &Plan, text: String) -> Self {
        let rows = plan.rows();
        let count = |is: fn(&Fate) -> bool| rows.iter().filter(|row| is(&row.fate)).count();
        let is_wrong = |row: &&&Row| matches!(row.fate, Fate::Wrong(_));
        let does = |row: &&&Row| matches!(row.fate, Fate::New(_) | Fate::Changes(_));
        let told = rows.iter().filter(is_wrong).chain(rows.iter().filter(does));
        let told: Vec<Row> = told.map(|row| (*row).clone()).collect();
        Self {
            text,
            mark: plan.mark(),
            new: count(|fate| matches!(fate, Fate::New(_))),
            changed: count(|fate| matches!(fate, Fate::Changes(_))),
            same: count(|fate| matches!(fate, Fate::Same)),
            wrong: count(|fate| matches!(fate, Fate::Wrong(_))),
            more: told.len().saturating_sub(SHOWN),
            rows: told.into_iter().take(SHOWN).collect(),
        }
    }
}

fn answer(desk: &Desk, status: StatusCode, preview: Option<Preview>, problem: Option<&str>) -> Answer {
    let kind = desk.form.given("kind").or(desk.query.given("kind")).unwrap_or("products").to_owned();
    let kinds = vec![
        Choice::new("products", format!("Products: {}", products::COLUMNS.join(", "))),
        Choice::new("stock", format!("Stock: {}", stock::COLUMNS.join(", "))),
    ];
    let problem = problem.map(str::to_owned);
    page_with(status, &Page { frame: Frame::new(desk), kinds, kind, preview, problem })
}

/// `GET /admin/import/`
pub(crate) async fn blank(desk: Desk) -> Answer {
    answer(&desk, StatusCode::OK, None, None)
}

/// `POST /admin/import/`: what the file would do; or does it, where that was shown before.
pub(crate) async fn submit(desk: Desk) -> Answer {
    let text = desk.form.exactly("file").to_owned();
    let plan = match Plan::make(&desk, desk.form.get("kind"), &text).await? {
        Ok(plan) => plan,
        Err(problem) => return answer(&desk, StatusCode::UNPROCESSABLE_ENTITY, None, Some(&problem)),
    };
    let preview = Preview::of(&plan, text);
    let Some(seen) = desk.form.given("seen") else { return answer(&desk, StatusCode::OK, Some(preview), None) };
    let done = preview.new + preview.changed;
    if seen == preview.mark && plan.carry_out(&desk).await? {
        return Ok(go_to(&format!("/admin/import/?done=imported&count={done}&kind={}", kind_of(&desk))));
    }
    let problem = "Something was changed meanwhile. Nothing was imported. This is what the file would do now.";
    answer(&desk, StatusCode::CONFLICT, Some(preview), Some(problem))
}

fn kind_of(desk: &Desk) -> &'static str {
    if desk.form.get("kind") == "stock" { "stock" } else { "products" }
}
