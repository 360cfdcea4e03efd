//! `manage import`.

mod audited;
mod files;
mod inventory;
mod products;
mod stores;

use crate::support::{Bench, Run};

impl Bench {
    /// Writes a file into the bench's folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.folder.join(name), content).unwrap();
    }

    /// Reads a file of the bench's folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Imports `content` as a file.
    pub(crate) async fn import(&self, kind: &str, content: impl AsRef<[u8]>) -> Run {
        self.write("in.csv", content);
        self.manage(&["import", kind, "in.csv"]).await
    }

    /// Line and reason of every row in the file of rejects.
    pub(crate) fn rejects(&self) -> Vec<(u64, String)> {
        let file = self.read("in.csv.rejects.csv");
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_bytes());
        reader.records().map(Result::unwrap).map(|row| (row[0].parse().unwrap(), row[1].to_owned())).collect()
    }
}

impl Run {
    /// The figures of the summary: read, inserted, updated, unchanged, rejected.
    pub(crate) fn figures(&self) -> [u64; 5] {
        let summary = self.out.lines().last().unwrap_or_default();
        let figure = |name: &str| {
            let part = summary.split(", ").find_map(|part| part.strip_prefix(name));
            part.unwrap_or_else(|| panic!("{name}: {self:?}")).trim().parse().unwrap()
        };
        ["read", "inserted", "updated", "unchanged", "rejected"].map(figure)
    }
}
