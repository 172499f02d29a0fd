//! A place in an entry's bytes; whatever is read past the end is an error with that place.

use crate::error::{Error, Result, corrupt};

/// Reads one entry from the front.
#[derive(Clone)]
pub(crate) struct Bytes<'a> {
    entry: &'a str,
    data: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(entry: &'a str, data: &'a [u8]) -> Self {
        Bytes { entry, data, at: 0 }
    }

    /// The same entry, read from `at` on.
    pub fn from(entry: &'a str, data: &'a [u8], at: usize) -> Self {
        Bytes { entry, data, at }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// The error that this entry is damaged here.
    pub fn corrupt(&self, problem: impl Into<String>) -> Error {
        corrupt(self.entry, self.at, problem)
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let taken =
            self.at.checked_add(count).and_then(|end| self.data.get(self.at..end)).ok_or_else(|| {
                let left = self.data.len().saturating_sub(self.at);
                self.corrupt(format!("{left} bytes left, expected {count} more"))
            })?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub fn f32(&mut self) -> Result<f32> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    /// A number of this many bytes, the least one first; at most four.
    pub fn unsigned(&mut self, bytes: usize) -> Result<u32> {
        let mut whole = [0; 4];
        whole[..bytes].copy_from_slice(self.take(bytes)?);
        Ok(u32::from_le_bytes(whole))
    }

    /// A number in Java's own order, the greatest byte first.
    pub fn java_i32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A number in Java's own order, the greatest byte first.
    pub fn java_f64(&mut self) -> Result<f64> {
        Ok(f64::from_be_bytes(self.array()?))
    }
}
