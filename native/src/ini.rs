//! `model.ini` and what it points to: values, columns, domains (`ModelMojoReader`, `ParseUtils`).

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::{Error, Result, corrupt, refused, shown};
use crate::zip::Zip;

/// The entry that every MOJO begins with.
pub(crate) const MODEL: &str = "model.ini";
/// Lines of model.ini: the shortest one, of two bytes, takes a hundred to hold.
const MOST_LINES: usize = 500_000;
/// Numbers of all arrays together: 128 MB, of which the shortest line tells two bytes each.
const MOST_NUMBERS: usize = 16 << 20;
/// Levels of all columns together.
const MOST_LEVELS: usize = 4_000_000;

/// A MOJO's values, columns and domains.
pub(crate) struct Ini {
    values: HashMap<String, Value>,
    /// How many numbers may still be read from arrays.
    numbers_left: Cell<usize>,
    /// All columns: the features, then what else the training frame had, the response last.
    pub columns: Vec<String>,
    /// By column; none for a number.
    pub domains: Vec<Option<Domain>>,
}

struct Value {
    text: String,
    offset: usize,
}

/// A column's levels in their order, in one text.
#[derive(Debug, Clone)]
pub struct Domain {
    text: String,
    ends: Vec<u32>,
}

impl Domain {
    /// How many levels there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The levels in their order.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start as usize..end as usize])
    }
}

impl Ini {
    pub fn read(zip: &Zip<'_>) -> Result<Self> {
        let text = zip.text(MODEL)?;
        let sections = Sections::split(&text)?;
        let ini = Ini {
            values: sections.values,
            numbers_left: Cell::new(MOST_NUMBERS),
            columns: sections.columns,
            domains: Vec::new(),
        };
        let declared: usize = ini.whole("n_columns", 1..=MOST_LINES)?;
        if declared != ini.columns.len() {
            return Err(
                ini.wrong("n_columns", format!("as many as the {} lines of [columns]", ini.columns.len()))
            );
        }
        let domains = domains(zip, &sections.domains, declared, ini.flag_or("escape_domain_values", false)?)?;
        Ok(Ini { domains, ..ini })
    }

    /// The value of `key`; none where there is no such line, or it says null.
    pub fn maybe(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|value| value.text.as_str()).filter(|text| *text != "null")
    }

    pub fn text(&self, key: &str) -> Result<&str> {
        self.maybe(key).ok_or_else(|| corrupt(MODEL, 0, format!("no value of {key}")))
    }

    /// A whole number within `range`.
    pub fn whole<T: FromStr + PartialOrd + std::fmt::Display>(
        &self,
        key: &str,
        range: RangeInclusive<T>,
    ) -> Result<T> {
        let found = self.text(key)?.parse().ok().filter(|number| range.contains(number));
        found.ok_or_else(|| {
            self.wrong(key, format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A finite number.
    pub fn number(&self, key: &str) -> Result<f64> {
        finite(self.text(key)?).ok_or_else(|| self.wrong(key, "a finite number"))
    }

    pub fn number_or(&self, key: &str, default: f64) -> Result<f64> {
        self.maybe(key).map_or(Ok(default), |_| self.number(key))
    }

    pub fn flag(&self, key: &str) -> Result<bool> {
        self.text(key)?.parse().map_err(|_| self.wrong(key, "true or false"))
    }

    pub fn flag_or(&self, key: &str, default: bool) -> Result<bool> {
        self.maybe(key).map_or(Ok(default), |_| self.flag(key))
    }

    /// An array of finite numbers; none where it is null or has no line.
    pub fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        self.array(key, finite, "an array of finite numbers")
    }

    /// An array of finite numbers; empty where it is null or has no line.
    pub fn numbers_or_none(&self, key: &str) -> Result<Vec<f64>> {
        Ok(self.numbers(key)?.unwrap_or_default())
    }

    /// An array of whole numbers; empty where it is null or has no line.
    pub fn wholes(&self, key: &str) -> Result<Vec<i32>> {
        Ok(self.array(key, |text| text.parse().ok(), "an array of whole numbers")?.unwrap_or_default())
    }

    fn array<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<Vec<T>>> {
        let Some(text) = self.maybe(key) else { return Ok(None) };
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inner = inner.ok_or_else(|| self.wrong(key, expected))?;
        if inner.trim().is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut all = Vec::with_capacity(self.count_numbers(key, inner)?);
        for part in inner.split(',') {
            all.push(parse(part.trim()).ok_or_else(|| self.wrong(key, expected))?);
        }
        Ok(Some(all))
    }

    /// How many numbers an array has, before any is held.
    fn count_numbers(&self, key: &str, inner: &str) -> Result<usize> {
        let count = inner.split(',').count();
        let left = self.numbers_left.get().checked_sub(count);
        self.numbers_left.set(
            left.ok_or_else(|| refused(key, format!("more than {MOST_NUMBERS} numbers in all arrays")))?,
        );
        Ok(count)
    }

    /// The error that the value of `key` is not what it must be.
    pub fn wrong(&self, key: &str, expected: impl AsRef<str>) -> Error {
        let (found, offset) =
            self.values.get(key).map_or(("nothing", 0), |value| (&value.text, value.offset));
        corrupt(MODEL, offset, format!("{key} = {}, expected {}", shown(found), expected.as_ref()))
    }

    /// The error that the value of `key` is not carried.
    pub fn not_carried(&self, key: &str, carried: impl AsRef<str>) -> Error {
        let found = self.maybe(key).unwrap_or("null");
        refused(format!("{key} = {}", shown(found)), format!("carried: {}", carried.as_ref()))
    }
}

/// As Java's `Double.parseDouble`, for what Java itself writes.
fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[derive(Default)]
struct Sections {
    values: HashMap<String, Value>,
    columns: Vec<String>,
    domains: Vec<DomainLine>,
}

/// `20: 3 d000.txt`: column, levels, file.
struct DomainLine {
    column: usize,
    levels: usize,
    file: String,
}

enum Section {
    None,
    Info,
    Columns,
    Domains,
}

impl Sections {
    fn split(text: &str) -> Result<Self> {
        let (mut found, mut section) = (Sections::default(), Section::None);
        for (number, (offset, line)) in lines(text).enumerate() {
            if number == MOST_LINES {
                return Err(refused(MODEL, format!("more than {MOST_LINES} lines")));
            }
            let line = line.trim_matches(|c| c <= ' '); // Java's trim
            match line {
                "[info]" => section = Section::Info,
                "[columns]" => section = Section::Columns,
                "[domains]" => section = Section::Domains,
                _ if line.is_empty() || line.starts_with('#') => {}
                _ => found.take(&section, line, offset)?,
            }
        }
        Ok(found)
    }

    fn take(&mut self, section: &Section, line: &str, offset: usize) -> Result<()> {
        let wrong = |expected: &str| corrupt(MODEL, offset, format!("{}, expected {expected}", shown(line)));
        match section {
            Section::None => return Err(wrong("[info]")),
            Section::Info => {
                let (key, text) = line.split_once('=').ok_or_else(|| wrong("key = value"))?;
                let value = Value { text: text.trim().to_owned(), offset };
                if self.values.insert(key.trim().to_owned(), value).is_some() {
                    return Err(wrong("each key once"));
                }
            }
            Section::Columns => self.columns.push(line.to_owned()),
            Section::Domains => {
                self.domains.push(domain_line(line).ok_or_else(|| wrong("column: levels file"))?)
            }
        }
        Ok(())
    }
}

fn domain_line(line: &str) -> Option<DomainLine> {
    let (column, rest) = line.split_once(':')?;
    let (levels, file) = rest.trim_start().split_once(' ')?;
    Some(DomainLine { column: column.parse().ok()?, levels: levels.parse().ok()?, file: file.to_owned() })
}

fn domains(
    zip: &Zip<'_>,
    lines: &[DomainLine],
    columns: usize,
    escaped: bool,
) -> Result<Vec<Option<Domain>>> {
    let mut domains = vec![None; columns];
    let mut left = MOST_LEVELS;
    // What stands behind the columns is the response's domain where the response is no column: genmodel skips
    // it.
    for line in lines.iter().filter(|line| line.column < columns) {
        let entry = format!("domains/{}", line.file);
        left = left
            .checked_sub(line.levels)
            .ok_or_else(|| refused(shown(&entry), format!("more than {MOST_LEVELS} levels in all")))?;
        let domain = domain(&zip.text(&entry)?, line.levels, escaped).ok_or_else(|| {
            corrupt(&entry, 0, format!("more than {} levels, which {MODEL} declares", line.levels))
        })?;
        if domain.count() < line.levels {
            let problem = format!("{} levels, {MODEL} declares {}", domain.count(), line.levels);
            return Err(corrupt(&entry, 0, problem));
        }
        if domains[line.column].replace(domain).is_some() {
            return Err(corrupt(MODEL, 0, format!("a second domain of column {}", line.column)));
        }
    }
    Ok(domains)
}

/// The levels of a text; none where they are more than `most`.
fn domain(text: &str, most: usize, escaped: bool) -> Option<Domain> {
    let mut domain = Domain { text: String::with_capacity(text.len()), ends: Vec::new() };
    for (_, line) in lines(text) {
        if domain.count() == most {
            return None;
        }
        if escaped {
            unescape(line, &mut domain.text)
        } else {
            domain.text.push_str(line)
        }
        domain.ends.push(domain.text.len() as u32); // an entry is far smaller than 4 GB: the budget
    }
    Some(domain)
}

/// `StringEscapeUtils.unescapeNewlines`.
fn unescape(line: &str, out: &mut String) {
    let mut slash = false;
    for c in line.chars() {
        match (slash, c) {
            (false, '\\') => slash = true,
            (false, c) => out.push(c),
            (true, c) => {
                out.push(match c {
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                });
                slash = false;
            }
        }
    }
}

/// Lines as Java's `BufferedReader` sees them, each with its offset: ended by \n, \r or \r\n.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let start = at;
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let ending = if rest[length..].starts_with("\r\n") { 2 } else { 1 };
        at += length + ending;
        Some((start, &rest[..length]))
    })
}

#[cfg(test)]
mod tests {
    use super::{domain, lines};

    #[test]
    fn lines_end_as_java_ends_them() {
        let found: Vec<_> = lines("a\nb\r\n\nc\rd").collect();
        assert_eq!(found, [(0, "a"), (2, "b"), (5, ""), (6, "c"), (8, "d")]);
    }

    #[test]
    fn levels_are_unescaped_and_not_trimmed() {
        let found = domain(" a \\\\n\nb\\nc\n", 2, true).unwrap();
        assert_eq!(found.levels().collect::<Vec<_>>(), [" a \\n", "b\nc"]);
    }
}
