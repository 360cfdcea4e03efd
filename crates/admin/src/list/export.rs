//! A list as a file: every row that its filters let through, streamed page by page in constant memory.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use db::Seek;
use futures_util::{TryStreamExt, stream};

use super::{Asked, Key, List};
use crate::desk::Desk;
use crate::render::Answer;
use crate::trouble::Trouble;

/// Rows that are read at once.
const STEP: usize = 1_000;

/// Where an export stands: the desk, what is asked, and the next page; the first is read before the answer begins, so
/// that its failure is a page.
struct Way<L: List> {
    desk: Desk,
    asked: Asked,
    next: Option<Key>,
    lines: Option<Vec<u8>>,
    list: std::marker::PhantomData<L>,
}

/// `GET` of a list's export.
pub(crate) async fn export<L: List>(desk: Desk) -> Answer {
    let asked = L::settle(&desk, Asked::read(L::sorts(&desk.query), &desk.query)).await?;
    let mut lines = Vec::new();
    let names = L::ABOUT.columns.iter().map(|column| column.name).chain(L::MORE.iter().copied());
    write(&mut lines, names.map(str::to_owned))?;
    let mut way = Way::<L> { desk, asked, next: None, lines: None, list: std::marker::PhantomData };
    way.read(&Seek::Skip(0), &mut lines).await?;
    way.lines = Some(lines);
    let rows = stream::try_unfold(way, |mut way| async move {
        if let Some(lines) = way.lines.take() {
            return Ok::<_, Trouble>(Some((Bytes::from(lines), way)));
        }
        let Some(next) = way.next.take() else { return Ok(None) };
        let mut lines = Vec::new();
        way.read(&Seek::After(next), &mut lines).await?;
        Ok(Some((Bytes::from(lines), way)))
    })
    // The answer has begun, so this is all that tells of it.
    .inspect_err(|trouble| tracing::error!(%trouble, "an export broke off"));
    let name = L::ABOUT.path.trim_matches('/').rsplit('/').next().unwrap_or("list");
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")))
        .streaming(rows))
}

impl<L: List> Way<L> {
    async fn read(&mut self, seek: &Seek<Key>, lines: &mut Vec<u8>) -> Result<(), Trouble> {
        let found = L::read(&self.desk, &self.asked, seek, STEP).await?;
        for row in &found.rows {
            write(lines, L::cells(row, &self.asked).iter().map(super::Cell::text).chain(L::more(row)))?;
        }
        self.next = found.next;
        Ok(())
    }
}

fn write(lines: &mut Vec<u8>, cells: impl Iterator<Item = String>) -> Result<(), Trouble> {
    let mut writer = csv::Writer::from_writer(lines);
    let cells: Vec<String> = cells.map(harmless).collect();
    let unwritten = |_| Trouble::new(web::Code::Internal, "The export failed.");
    writer.write_record(&cells).map_err(unwritten)?;
    writer.flush().map_err(|_| Trouble::new(web::Code::Internal, "The export failed."))
}

/// How a formula begins, be it in signs of full width.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it. Numbers stay. Where
/// a spreadsheet parts cells by other signs than commas, as many do by their country, what comes after such a sign
/// begins a cell too.
fn harmless(text: String) -> String {
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        return text;
    }
    let (mut safe, mut begins) = (String::with_capacity(text.len() + 1), true);
    for (at, sign) in text.char_indices() {
        if begins && FORMULA.contains(&sign) && (at == 0 || !sign.is_whitespace()) {
            safe.push('\'');
        }
        begins = matches!(sign, ';' | '\t') || at > 0 && begins && matches!(sign, ' ' | '"');
        safe.push(sign);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in
            ["=1+1", "+SUM(A1)", "-cmd|' /C calc'!A0", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1+1", "-", "+inf"]
        {
            assert_eq!(harmless(formula.into()), format!("'{formula}"));
        }
        for (parted, safe) in [
            ("\t=1", "'\t'=1"),
            ("tea;=1+1", "tea;'=1+1"),
            ("tea\t@x", "tea\t'@x"),
            ("a; \"=1", "a; \"'=1"),
            (";=1", ";'=1"),
        ] {
            assert_eq!(harmless(parted.into()), safe);
        }
        for plain in ["a;b", "a;1=1", "tea", "", "-3", "+4.50", "1=1", " =1", "'=1"] {
            assert_eq!(harmless(plain.into()), plain);
        }
    }
}
