//! Mutants of every sample: whatever a MOJO's bytes, loading and scoring end in a value or an error, in
//! bounded memory. Nothing is caught here: a panic, an overflow (checked in this profile too) or an abort
//! fails the test.
//!
//! `HOTPATH_FUZZ=N` makes N mutants of each sample instead of a short run's; `HOTPATH_FUZZ_SEED` other ones.

#[path = "support/memory.rs"]
mod memory;
mod support;

use std::time::{Duration, Instant};

use hotpath_native::{Error, Model, Scratch};
use support::{Entry, Random, pack, samples, unpack};

const MUTANTS: usize = 400;
const MOST_TIME: Duration = Duration::from_secs(2);

/// What a value of model.ini is replaced by.
const WORDS: [&str; 30] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "99999999999",
    "2147483647",
    "-2147483648",
    "4294967296",
    "null",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e-320",
    "true",
    "false",
    "[]",
    "[1]",
    "[0, 0]",
    "[-5]",
    "[0, 2000000000]",
    "[1e308, 1e308]",
    "",
    "65535",
    "1000000",
    "log",
    "multinomial",
    "[nan]",
];

#[test]
fn mutants_end_in_a_value_or_an_error() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect(name));
    let (count, seed) = (number("HOTPATH_FUZZ", MUTANTS as u64), number("HOTPATH_FUZZ_SEED", 1));
    let mut told = Told::default();
    for sample in samples() {
        let entries: Vec<Entry> =
            unpack(&sample.mojo).into_iter().filter(|(name, _)| is_read(name)).collect();
        let mut random = Random(seed ^ 0x9E37_79B9_7F4A_7C15);
        for number in 0..count {
            let mutant = mutant(&entries, &sample.mojo, &mut random);
            let _note = Note { sample: &sample.name, number };
            told.take(&mutant, &mut random);
        }
    }
    println!("{told:?}");
    assert!(told.peak < memory::MOST && told.longest < MOST_TIME, "{told:?}");
    assert!(told.corrupt > 0 && told.loaded > 0, "{told:?}");
}

/// What genmodel uses for explanations only is not read here.
fn is_read(name: &str) -> bool {
    !name.contains("_aux") && !name.starts_with("experimental") && name != "feature_map"
}

/// Says which mutant it was that panicked.
struct Note<'a> {
    sample: &'a str,
    number: u64,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("mutant {} of {}", self.number, self.sample);
        }
    }
}

#[derive(Debug, Default)]
struct Told {
    loaded: usize,
    refused: usize,
    corrupt: usize,
    rows: usize,
    unscorable: usize,
    peak: usize,
    longest: Duration,
}

impl Told {
    fn take(&mut self, mutant: &[u8], random: &mut Random) {
        let start = Instant::now();
        let (peak, ()) = memory::peak(|| match Model::load(mutant) {
            Ok(model) => self.score(&model, random),
            Err(Error::Refused { .. }) => self.refused += 1,
            Err(Error::Corrupt { .. }) => self.corrupt += 1,
            Err(Error::Unscorable(why)) => panic!("a load that ends in: {why}"),
        });
        self.longest = self.longest.max(start.elapsed());
        self.peak = self.peak.max(peak);
    }

    fn score(&mut self, model: &Model, random: &mut Random) {
        self.loaded += 1;
        let (mut scratch, mut answer) = (Scratch::default(), vec![0.0; model.size()]);
        for _ in 0..8 {
            let row: Vec<f64> = model.names().iter().map(|_| random.value()).collect();
            let offset = if random.below(4) == 0 { random.value() } else { 0.0 };
            match model.score(&row, offset, &mut answer, &mut scratch) {
                Ok(()) => drop(model.calibrate(&mut answer)),
                Err(_) => self.unscorable += 1,
            }
            self.rows += 1;
        }
    }
}

fn mutant(entries: &[Entry], mojo: &[u8], random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => bytes_changed(mojo.to_vec(), random),
        1 => sizes_lying(mojo.to_vec(), random),
        2 => mojo[..random.below(mojo.len())].to_vec(),
        _ => {
            let mut entries = entries.to_vec();
            for _ in 0..1 + random.below(3) {
                entry_changed(&mut entries, random);
            }
            pack(&entries)
        }
    }
}

fn bytes_changed(mut zip: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..1 + random.below(4) {
        let at = random.below(zip.len());
        zip[at] ^= 1 << random.below(8);
    }
    zip
}

/// Changes the numbers of a header or of the directory, or of its end.
fn sizes_lying(mut zip: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let marks: Vec<usize> =
        zip.windows(2).enumerate().filter(|(_, two)| *two == b"PK").map(|(at, _)| at).collect();
    let at = random.one(&marks) + 4 + random.below(42);
    let lie = *random.one(&[0, 1, 0x7F, 0xFF]);
    for byte in zip.iter_mut().skip(at).take(1 + random.below(4)) {
        *byte = lie;
    }
    zip
}

fn entry_changed(entries: &mut Vec<Entry>, random: &mut Random) {
    let ini = entries.iter().position(|(name, _)| name == "model.ini");
    let at = match ini {
        Some(ini) if random.below(3) == 0 => ini,
        _ => random.below(entries.len()),
    };
    match random.below(12) {
        0 if entries.len() > 1 => drop(entries.remove(at)),
        1 => entries.push(entries[at].clone()),
        2..=6 if Some(at) == ini => line_changed(&mut entries[at].1, random),
        _ => content_changed(&mut entries[at].1, random),
    }
}

fn content_changed(content: &mut Vec<u8>, random: &mut Random) {
    if content.is_empty() {
        return;
    }
    let at = random.below(content.len());
    match random.below(8) {
        0 => content.truncate(at),
        1 => content.extend_from_within(at..),
        2 => content.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xFF),
        3 => content.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0),
        4 => drop(content.remove(at)),
        _ => {
            for _ in 0..1 + random.below(5) {
                let at = random.below(content.len());
                content[at] ^= 1 << random.below(8);
            }
        }
    }
}

fn line_changed(ini: &mut Vec<u8>, random: &mut Random) {
    let text = String::from_utf8_lossy(ini).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = random.below(lines.len().clamp(1, 60)); // most lines of a wide model are columns
    let Some(line) = lines.get_mut(at) else { return };
    let word = *random.one(&WORDS);
    *line = match line.split_once('=') {
        Some((key, _)) => format!("{key}= {word}"),
        None => format!("{}: {word} d000.txt", random.below(30)),
    };
    if random.below(10) == 0 {
        lines.remove(at);
    }
    *ini = lines.join("\n").into_bytes();
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let zeros = miniz_oxide::deflate::compress_to_vec(&vec![0; 1 << 20], 9);
    let mut zip = pack(&[("model.ini".to_owned(), zeros.clone())]);
    let name = "model.ini".len();
    for (header, method, size) in [(0, 8, 22), (30 + name + zeros.len(), 10, 24)] {
        zip[header + method] = 8;
        zip[header + size..header + size + 4].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
    }
    match Model::load(&zip) {
        Err(Error::Corrupt { entry, .. }) => assert_eq!(entry, "model.ini"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_forged_name_is_shown_harmless() {
    let name = format!("\u{1b}[31m{}", "x".repeat(60_000));
    let mut zip = pack(&[(name, b"content".to_vec())]);
    zip[8] = 8; // the local header's method, no longer the directory's
    match Model::load(&zip) {
        Err(Error::Corrupt { entry, .. }) => {
            assert!(entry.starts_with("?[31mx") && entry.len() < 100, "{entry}")
        }
        other => panic!("{other:?}"),
    }
}
