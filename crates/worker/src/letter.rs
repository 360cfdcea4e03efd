//! What a confirmation says, as plain text and as HTML.

use askama::Template;
use orders::reactions::Letter;
use web::Money;

/// Nothing is escaped in it.
#[derive(Template)]
#[template(path = "confirmed.txt")]
struct Text<'a> {
    order: i64,
    lines: &'a [Line],
    total: Money,
}

/// Everything is escaped in it.
#[derive(Template)]
#[template(path = "confirmed.html")]
struct Html<'a> {
    order: i64,
    lines: &'a [Line],
    total: Money,
}

struct Line {
    quantity: i32,
    title: String,
    unit_price: Money,
}

/// The same twice: as plain text, and as HTML.
pub(crate) struct Bodies {
    pub(crate) text: String,
    pub(crate) html: String,
}

/// # Errors
/// When a template fails, which none of ours does.
pub(crate) fn write(letter: &Letter) -> askama::Result<Bodies> {
    let (order, total) = (letter.order.id, Money(letter.order.terms.total_price));
    let line = |line: &orders::Line| Line {
        quantity: line.quantity,
        title: letter
            .titles
            .get(&line.product_id)
            .map_or_else(|| format!("Product {}", line.product_id), |title| one_line(title)),
        unit_price: Money(line.unit_price),
    };
    let lines: Vec<Line> = letter.order.terms.lines.iter().map(line).collect();
    Ok(Bodies {
        text: Text { order, lines: &lines, total }.render()?,
        html: Html { order, lines: &lines, total }.render()?,
    })
}

/// A title may hold anything; in a letter it is one line.
fn one_line(title: &str) -> String {
    title.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
