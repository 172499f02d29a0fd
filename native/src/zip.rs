//! The container: a zip's central directory and its entries, stored or deflated (PKWARE's APPNOTE).
//!
//! Nothing is inflated before it is asked for, and never more than the directory declares or [`BUDGET`]
//! allows.

use std::cell::Cell;
use std::collections::BTreeMap;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::bytes::Bytes;
use crate::error::{ARCHIVE, Result, corrupt, refused, shown};

/// Bytes that may be inflated of one MOJO, all entries together.
pub const BUDGET: usize = 128 << 20;

const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const LONGEST_COMMENT: usize = 65_535;
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const ZIP64_LOCATOR_SIZE: usize = 20;
const DIRECTORY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_SIZE: usize = 30;
const ENCRYPTED: u16 = 1;
/// Deflate makes at most 1,032 bytes of one; a declared size beyond that is a lie.
const BEST_DEFLATE: usize = 1_032;

/// An opened archive: what its directory says of each entry.
pub(crate) struct Zip<'a> {
    data: &'a [u8],
    entries: BTreeMap<&'a str, Entry>,
    left: Cell<usize>,
}

struct Entry {
    method: u16,
    crc: u32,
    packed: usize,
    size: usize,
    /// Where its bytes start in the file, after the local header.
    start: usize,
}

impl<'a> Zip<'a> {
    pub fn open(data: &'a [u8]) -> Result<Self> {
        let end = find_end(data)?;
        let (count, mut directory) = directory(data, end)?;
        let mut entries = BTreeMap::new();
        let mut spans = Vec::with_capacity(count);
        for _ in 0..count {
            let at = directory.at();
            let (name, header, entry) = entry(data, &mut directory)?;
            spans.push((header, entry.start + entry.packed));
            if entries.insert(name, entry).is_some() {
                return Err(corrupt(ARCHIVE, at, "an entry's name for the second time"));
            }
        }
        if directory.at() != end {
            return Err(directory.corrupt(format!("the directory ends here, expected its end at byte {end}")));
        }
        apart(spans)?;
        Ok(Zip { data, entries, left: Cell::new(BUDGET) })
    }

    /// Whether any entry's name begins so.
    pub fn has_any(&self, start: &str) -> bool {
        self.entries.range(start..).next().is_some_and(|(name, _)| name.starts_with(start))
    }

    /// How many entries the directory lists.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// An entry's bytes, checked by size and CRC.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let entry = self.entries.get(name).ok_or_else(|| corrupt(name, 0, "missing from the archive"))?;
        let problem = |text: String| corrupt(name, entry.start, text);
        let left = self.left.get().checked_sub(entry.size);
        self.left.set(
            left.ok_or_else(|| refused(shown(name), format!("a MOJO of more than {BUDGET} bytes unpacked")))?,
        );
        let packed = &self.data[entry.start..entry.start + entry.packed];
        let bytes = match entry.method {
            0 => packed.to_vec(),
            8 => decompress_to_vec_with_limit(packed, entry.size)
                .map_err(|error| problem(format!("does not inflate: {:?}", error.status)))?,
            other => {
                return Err(refused(
                    shown(name),
                    format!("zip method {other}, carried are 0 (stored) and 8 (deflate)"),
                ));
            }
        };
        if bytes.len() != entry.size {
            return Err(problem(format!("{} bytes, the directory declares {}", bytes.len(), entry.size)));
        }
        let crc = crc32fast::hash(&bytes);
        if crc != entry.crc {
            return Err(problem(format!("CRC {crc:08x}, the directory declares {:08x}", entry.crc)));
        }
        Ok(bytes)
    }

    /// An entry that is text.
    pub fn text(&self, name: &str) -> Result<String> {
        String::from_utf8(self.read(name)?)
            .map_err(|error| corrupt(name, error.utf8_error().valid_up_to(), "a byte that is not UTF-8"))
    }
}

/// Where the end record stands: the last place from which a comment reaches exactly the end of the file.
fn find_end(data: &[u8]) -> Result<usize> {
    let last = data.len().checked_sub(END_SIZE).ok_or_else(|| corrupt(ARCHIVE, 0, "shorter than any zip"))?;
    (last.saturating_sub(LONGEST_COMMENT)..=last)
        .rev()
        .find(|&at| {
            let comment = usize::from(u16::from_le_bytes([data[at + 20], data[at + 21]]));
            data[at..].starts_with(END) && at + END_SIZE + comment == data.len()
        })
        .ok_or_else(|| corrupt(ARCHIVE, data.len(), "no end record of a zip"))
}

/// How many entries the directory has, and the place to read them from.
fn directory(data: &[u8], end: usize) -> Result<(usize, Bytes<'_>)> {
    let mut record = Bytes::from(ARCHIVE, data, end + END.len());
    let (disk, first_disk) = (record.u16()?, record.u16()?);
    let (here, count) = (record.u16()?, record.u16()?);
    let (size, start) = (record.u32()?, record.u32()?);
    let locator = end.checked_sub(ZIP64_LOCATOR_SIZE).is_some_and(|at| data[at..].starts_with(ZIP64_LOCATOR));
    if locator || count == u16::MAX || size == u32::MAX || start == u32::MAX {
        return Err(refused("zip64", "a plain zip is carried"));
    }
    if disk != 0 || first_disk != 0 || here != count {
        return Err(corrupt(ARCHIVE, end, "a zip of several parts"));
    }
    let (start, size) = (start as usize, size as usize);
    if start.checked_add(size) != Some(end) {
        return Err(corrupt(
            ARCHIVE,
            end,
            format!("a directory of {size} bytes from byte {start}, expected to end here"),
        ));
    }
    Ok((usize::from(count), Bytes::from(ARCHIVE, &data[..end], start)))
}

/// One entry of the directory: its name, where its local header starts, and the rest.
fn entry<'a>(data: &'a [u8], directory: &mut Bytes<'a>) -> Result<(&'a str, usize, Entry)> {
    let at = directory.at();
    if directory.take(DIRECTORY.len())? != DIRECTORY {
        return Err(corrupt(ARCHIVE, at, "no entry of the directory where one was expected"));
    }
    directory.take(4)?; // versions
    let (flags, method) = (directory.u16()?, directory.u16()?);
    directory.take(4)?; // time and date
    let (crc, packed, size) = (directory.u32()?, directory.u32()?, directory.u32()?);
    let (name, extra, comment) = (directory.u16()?, directory.u16()?, directory.u16()?);
    directory.take(8)?; // disk and attributes
    let header = directory.u32()?;
    let name = directory.take(usize::from(name))?;
    directory.take(usize::from(extra) + usize::from(comment))?;
    let name = str::from_utf8(name).map_err(|_| corrupt(ARCHIVE, at, "an entry's name that is not UTF-8"))?;
    if flags & ENCRYPTED != 0 {
        return Err(refused(shown(name), "encrypted; plain entries are carried"));
    }
    if packed == u32::MAX || size == u32::MAX || header == u32::MAX {
        return Err(refused("zip64", "a plain zip is carried"));
    }
    let (packed, size, header) = (packed as usize, size as usize, header as usize);
    if size > packed.saturating_mul(BEST_DEFLATE).saturating_add(64) {
        return Err(corrupt(name, header, format!("{size} bytes declared to be made of {packed}")));
    }
    let start = contents(data, name, header, method)?;
    if start.checked_add(packed).is_none_or(|end| end > data.len()) {
        return Err(corrupt(name, header, format!("{packed} bytes declared, the file is shorter")));
    }
    Ok((name, header, Entry { method, crc, packed, size, start }))
}

/// Where an entry's bytes start. Its local header must tell of the same entry as the directory.
fn contents(data: &[u8], name: &str, header: usize, method: u16) -> Result<usize> {
    let differs = || corrupt(name, header, "a local header that differs from the directory");
    let mut local = Bytes::from(name, data, header);
    if local.take(LOCAL.len())? != LOCAL {
        return Err(differs());
    }
    local.take(4)?; // version and flags
    let local_method = local.u16()?;
    local.take(16)?; // time, date, CRC and sizes: a streaming writer leaves them empty here
    let (name_size, extra) = (local.u16()?, local.u16()?);
    debug_assert_eq!(local.at(), header + LOCAL_SIZE);
    if local.take(usize::from(name_size))? != name.as_bytes() || local_method != method {
        return Err(differs());
    }
    local.take(usize::from(extra))?;
    Ok(local.at())
}

/// Entries share no byte: what overlaps is how a small file declares terabytes.
fn apart(mut spans: Vec<(usize, usize)>) -> Result<()> {
    spans.sort_unstable();
    match spans.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        Some(pair) => Err(corrupt(ARCHIVE, pair[1].0, "entries that overlap")),
        None => Ok(()),
    }
}
