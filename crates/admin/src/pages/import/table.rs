//! The rows of an uploaded file.

use std::collections::HashMap;

/// Rows of one upload. What is larger is for `manage import`, which reads in constant memory.
pub(super) const MOST: usize = 2_000;

/// Bytes of one upload.
const LARGEST: usize = 1024 * 1024;

/// A row: the line on which it begins, and its cells by the names of the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    cells: HashMap<String, String>,
    /// Why its cells cannot be told apart, where they cannot.
    pub(super) wrong: Option<String>,
}

impl Line {
    /// A cell, without space around it.
    pub(super) fn get(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// Reads a file whose first row names these columns, in any order.
///
/// # Errors
/// What is wrong with the file as a whole, in a sentence.
pub(super) fn read(text: &str, columns: &[&str]) -> Result<Vec<Line>, String> {
    if text.len() > LARGEST {
        return Err("A file may have 1 MiB here. Larger ones are loaded with `manage import`.".into());
    }
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let broken = |_| "The file cannot be read as CSV.".to_owned();
    let names: Vec<String> = reader.headers().map_err(broken)?.iter().map(str::to_lowercase).collect();
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut expected = columns.to_vec();
    sorted.sort_unstable();
    expected.sort_unstable();
    if sorted != expected {
        return Err(format!("The first row must name the columns {}, in any order.", columns.join(", ")));
    }
    // The crate counts lines from the end of the record before; so this counts itself.
    let (mut counted, mut number) = (0, 1);
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        if lines.len() == MOST {
            return Err(format!("A file may have {MOST} rows here. Larger ones are loaded with `manage import`."));
        }
        let place = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let place = place + text.as_bytes().get(place..).map_or(0, blank);
        number += text.as_bytes().get(counted..place).map_or(0, line_ends);
        counted = place;
        let cells = names.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
        let wrong = (record.len() != names.len())
            .then(|| format!("Columns: {} here, {} in the first row.", record.len(), names.len()));
        lines.push(Line { number, cells, wrong });
    }
    if lines.is_empty() { Err("The file has no rows.".into()) } else { Ok(lines) }
}

/// Line ends at the beginning.
fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |ends, byte| ends + u64::from(*byte == b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_any_order() {
        let lines =
            read("\u{feff}Quantity, SKU ,store\r\n 4,\"A,1\",Harbour\r\n", &["store", "sku", "quantity"]).unwrap();
        let text = "sku,title\n\n1,\"a\nb\"\n\n2,c\n3,d";
        let numbers: Vec<u64> = read(text, &["sku", "title"]).unwrap().iter().map(|line| line.number).collect();
        assert_eq!(numbers, [3, 6, 7]);
        assert_eq!((lines[0].number, lines[0].get("sku"), lines[0].get("quantity")), (2, "A,1", "4"));
        for wrong in ["", "sku,quantity\n1,2", "store,sku,quantity", "store,sku,quantity,price\n1,2,3,4"] {
            assert!(read(wrong, &["store", "sku", "quantity"]).is_err(), "{wrong}");
        }
        let lines = read("store,sku,quantity\n1,2\n1,2,3\n1,2,3,4\n", &["store", "sku", "quantity"]).unwrap();
        let wrong: Vec<Option<&str>> = lines.iter().map(|line| line.wrong.as_deref()).collect();
        let told = |columns| format!("Columns: {columns} here, 3 in the first row.");
        assert_eq!(wrong, [Some(&*told(2)), None, Some(&*told(4))]);
        let many = format!("sku\n{}", "1\n".repeat(MOST + 1));
        assert!(read(&many, &["sku"]).unwrap_err().contains("manage import"));
    }
}
