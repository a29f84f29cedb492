//! Past hours over a restart. Only a cache: what is missing or strange is judged again.
//!
//! A text file: a head that names the format and the vantage, a line for each run of hours
//! (`system first count contract good_ms down_ms unknown_ms held_ms held_down_ms bad_strain
//! allowed`), and `end` with the
//! number of lines, without which nothing is believed.

use std::fmt::Write as _;
use std::path::Path;

use super::Book;
use crate::availability::figures::ledger::{Cell, Run};
use crate::model::id::{SystemId, VantageId};

/// Largest file read: ten thousand systems with a hundred runs each.
const BYTES_MAX: u64 = 256 << 20;

fn head(vantage: &VantageId) -> String {
    format!("thongsuot figures 2 {vantage}")
}

/// What was written down; nothing if that is not whole.
pub(super) fn load(file: &Path, vantage: &VantageId) -> Book {
    let fits = std::fs::metadata(file).is_ok_and(|it| it.len() <= BYTES_MAX);
    let text = if fits { std::fs::read_to_string(file).unwrap_or_default() } else { String::new() };
    read(&text, vantage).unwrap_or_default()
}

fn read(text: &str, vantage: &VantageId) -> Option<Book> {
    let mut lines = text.lines();
    lines.next().filter(|it| *it == head(vantage))?;
    let (mut book, mut count) = (Book::new(), 0);
    for line in lines {
        let mut words = line.split(' ');
        let first = words.next()?;
        if first == "end" {
            return (words.next()?.parse() == Ok(count)).then_some(book);
        }
        let mut number = || words.next()?.parse::<i64>().ok();
        let (start, hours) = (number()?, number()?);
        let contract = number()?.cast_unsigned();
        let cell = Cell {
            good_ms: number()?,
            down_ms: number()?,
            unknown_ms: number()?,
            held_ms: number()?,
            held_down_ms: number()?,
            bad_strain: number()?,
            allowed: number()?,
        };
        let run = Run { first: start, count: hours, contract, cell };
        book.entry(SystemId::new(first).ok()?).or_default().put(run);
        count += 1;
    }
    None
}

/// Writes everything down, in one step.
pub(super) fn save(file: &Path, vantage: &VantageId, book: &Book) -> std::io::Result<()> {
    let mut text = head(vantage);
    text.push('\n');
    let mut count = 0;
    for (system, ledger) in book {
        for Run { first, count: hours, contract, cell } in ledger.runs() {
            let contract = contract.cast_signed();
            let _ = write!(text, "{system} {first} {hours} {contract}");
            let Cell { good_ms, down_ms, unknown_ms, .. } = cell;
            let Cell { held_ms, held_down_ms, bad_strain, allowed, .. } = cell;
            let _ = write!(text, " {good_ms} {down_ms} {unknown_ms}");
            let _ = writeln!(text, " {held_ms} {held_down_ms} {bad_strain} {allowed}");
            count += 1;
        }
    }
    let _ = writeln!(text, "end {count}");
    let new = file.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_a_part_of_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (file, vantage) =
            (folder.path().join("figures.cache"), VantageId::new("hn-1").unwrap());
        let mut book = Book::new();
        for (system, contract) in [("a", u64::MAX), ("b", 1)] {
            let (held_ms, held_down_ms) = (5, 7);
            let cell = Cell {
                good_ms: 1,
                down_ms: 2,
                unknown_ms: 3,
                held_ms,
                held_down_ms,
                bad_strain: 4,
                allowed: 8,
            };
            let ledger = book.entry(SystemId::new(system).unwrap()).or_default();
            ledger.put(Run { first: 5, count: 6, contract, cell });
        }
        save(&file, &vantage, &book).unwrap();
        assert_eq!(load(&file, &vantage), book);
        assert_eq!(load(&file, &VantageId::new("hn-2").unwrap()), Book::new());
        assert_eq!(load(&folder.path().join("none"), &vantage), Book::new());
        let text = std::fs::read_to_string(&file).unwrap();
        for cut in 0..text.len() - 1 {
            assert_eq!(read(&text[..cut], &vantage), None, "{cut}");
        }
        assert_eq!(read(&text.replace(" 6 ", " x "), &vantage), None);
    }
}
