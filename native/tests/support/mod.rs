//! The sample MOJOs, their zips taken apart and made anew, H2O's scores beside them, and a random generator.
#![allow(dead_code)] // each test takes what it needs

use std::path::PathBuf;

/// A MOJO of tests/mojos and its name.
pub struct Sample {
    pub name: String,
    pub mojo: Vec<u8>,
}

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mojos")
}

/// All samples, by name.
pub fn samples() -> Vec<Sample> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let mut samples: Vec<Sample> = files
        .filter(|path| path.extension().is_some_and(|end| end == "zip"))
        .map(|path| Sample {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            mojo: std::fs::read(&path).unwrap(),
        })
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(samples.len() >= 20, "{} samples in {}", samples.len(), folder().display());
    samples
}

/// An entry's name and content.
pub type Entry = (String, Vec<u8>);

/// The entries of a sound zip. It trusts the zip, which is ours; what is tested is the crate's own reader.
pub fn unpack(zip: &[u8]) -> Vec<Entry> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([zip[at], zip[at + 1]]));
    let u32_at = |at: usize| u32::from_le_bytes(zip[at..at + 4].try_into().unwrap()) as usize;
    let end = zip.len() - 22;
    let (count, mut at) = (u16_at(end + 10), u32_at(end + 16));
    let mut entries = Vec::new();
    for _ in 0..count {
        let (method, packed, header) = (u16_at(at + 10), u32_at(at + 20), u32_at(at + 42));
        let name_end = at + 46 + u16_at(at + 28);
        let name = String::from_utf8(zip[at + 46..name_end].to_vec()).unwrap();
        at = name_end + u16_at(at + 30) + u16_at(at + 32);
        let start = header + 30 + u16_at(header + 26) + u16_at(header + 28);
        let bytes = &zip[start..start + packed];
        let content = match method {
            0 => bytes.to_vec(),
            _ => miniz_oxide::inflate::decompress_to_vec(bytes).unwrap(),
        };
        entries.push((name, content));
    }
    entries
}

/// A zip of stored entries.
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let at = zip.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        zip.extend(b"PK\x03\x04");
        zip.extend(&common);
        zip.extend(name.as_bytes());
        zip.extend(content);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size, count) = (zip.len() as u32, directory.len() as u32, entries.len() as u16);
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    zip.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    zip.extend([0, 0]);
    zip
}

/// The table of doubles called `name` beside a sample: its rows.
pub fn table(sample: &str, name: &str) -> Vec<Vec<f64>> {
    let entries = unpack(&std::fs::read(folder().join(format!("{sample}.npz"))).unwrap());
    let (_, npy) = entries.iter().find(|(entry, _)| *entry == format!("{name}.npy")).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let header = std::str::from_utf8(&npy[10..start]).unwrap();
    assert!(header.contains("'<f8'") && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let sizes: Vec<usize> = shape.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    let doubles = npy[start..].chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()));
    let doubles: Vec<f64> = doubles.collect();
    doubles.chunks(sizes.get(1).copied().unwrap_or(1)).map(<[f64]>::to_vec).collect()
}

/// xorshift64*: the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A row's value: levels, ordinary numbers, and what breaks scorers.
    pub fn value(&mut self) -> f64 {
        match self.below(12) {
            0 => f64::NAN,
            1..=4 => self.below(40) as f64,
            5 => *self.one(&[
                f64::INFINITY,
                f64::NEG_INFINITY,
                1e308,
                -1e308,
                5e-324,
                -5e-324,
                -0.0,
                2147483648.0,
            ]),
            6 => -(self.below(400) as f64) / 3.0,
            7 => self.below(400) as f64,
            _ => (self.below(2_000_001) as f64 - 1e6) / 333_333.0,
        }
    }
}
