//! Reads any WARC 1.0 or 1.1 file that has one gzip member per record, as the standard's annex D asks.
//!
//! Decides what a whole record is, and what is wrong with one that is not. Memory is bounded by one record, whatever
//! the file says. Never repairs, and never looks for the next record after a damaged one.

use super::error::{ArchiveError, Damage};
use super::owned_record::OwnedRecord;
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The longest record header that is read or written, in bytes: room for a URL of 8 KiB many times over.
pub const MAX_HEADER_BYTES: u64 = 128 << 10;

/// The longest block that is read or written, in bytes: far above every page, far below a machine's memory.
pub const MAX_BLOCK_BYTES: u64 = 256 << 20;

/// How much of an offending line an error quotes, in characters.
const QUOTED: usize = 80;

/// The records of one file in turn, each with the bytes that it occupies. Ends after the first error.
#[derive(Debug)]
pub struct FileRecords {
    path: PathBuf,
    file: Option<Counted<BufReader<File>>>,
}

impl FileRecords {
    /// Reads `path` from byte `offset`, which must be where a record begins.
    ///
    /// # Errors
    /// [`ArchiveError::Read`] where the file cannot be opened.
    pub fn open(path: &Path, offset: u64) -> Result<Self, ArchiveError> {
        let file = File::open(path)
            .and_then(|mut file| file.seek(SeekFrom::Start(offset)).map(|_| file))
            .map_err(|source| ArchiveError::Read { path: path.to_owned(), source })?;
        let file = Counted { inner: BufReader::with_capacity(64 << 10, file), offset };
        Ok(Self { path: path.to_owned(), file: Some(file) })
    }
}

impl Iterator for FileRecords {
    type Item = Result<(Range<u64>, OwnedRecord), ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file.as_mut()?;
        let start = file.offset;
        let read = match file.fill_buf() {
            Ok([]) => return None,
            Ok(_) => read_member(file),
            Err(source) => Err(Failure::Io(source)),
        };
        let end = file.offset;
        Some(read.map(|record| (start..end, record)).map_err(|failure| {
            self.file = None;
            let path = self.path.clone();
            match failure {
                Failure::Io(source) => ArchiveError::Read { path, source },
                Failure::Damage(damage) => ArchiveError::Damaged { path, offset: start, damage },
            }
        }))
    }
}

/// A disk that fails is not a record that is damaged: only the latter may ever be cut away.
enum Failure {
    Io(io::Error),
    Damage(Damage),
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        if kind == io::ErrorKind::UnexpectedEof {
            Self::Damage(Damage::CutShort)
        } else if matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) {
            Self::Damage(Damage::Gzip(error.to_string()))
        } else {
            Self::Io(error)
        }
    }
}

/// Reads the gzip member at hand, which must hold exactly one record.
fn read_member(file: &mut impl BufRead) -> Result<OwnedRecord, Failure> {
    let mut member = BufReader::new(GzDecoder::new(file));
    let fields = read_header(&mut member.by_ref().take(MAX_HEADER_BYTES))?;
    let length = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("Content-Length"));
    let length: u64 = length.and_then(|(_, value)| value.parse().ok()).ok_or(Damage::NoLength)?;
    if length > MAX_BLOCK_BYTES {
        return Err(Damage::BlockTooLong(length).into());
    }
    let mut block = Vec::new();
    let actual = member.by_ref().take(length).read_to_end(&mut block)? as u64;
    if actual < length {
        return Err(Damage::BlockTooShort { said: length, actual }.into());
    }
    // One byte more than should be there: reading on to the member's end is what verifies its checksum.
    let mut end = Vec::new();
    member.take(5).read_to_end(&mut end)?;
    match end.strip_prefix(b"\r\n\r\n") {
        Some([]) => Ok(OwnedRecord { fields, block }),
        Some(_) => Err(Damage::NotPerRecord.into()),
        None => Err(Damage::NoEnd(length).into()),
    }
}

/// Reads the version line, the fields and the blank line after them.
fn read_header(member: &mut io::Take<impl BufRead>) -> Result<Vec<(String, String)>, Failure> {
    let version = read_line(member)?;
    if version != "WARC/1.0" && version != "WARC/1.1" {
        return Err(Damage::Version(version.chars().take(QUOTED).collect()).into());
    }
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        let line = read_line(member)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let folded = line.starts_with([' ', '\t']);
        match (line.split_once(':'), fields.last_mut()) {
            (_, Some((_, value))) if folded => value.extend([" ", line.trim()]),
            (Some((name, value)), _) => {
                fields.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (None, _) => return Err(Damage::Field(line.chars().take(QUOTED).collect()).into()),
        }
    }
}

/// One line of the header without its end, be that CR LF or LF.
fn read_line(member: &mut io::Take<impl BufRead>) -> Result<String, Failure> {
    let mut line = Vec::new();
    member.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        let over = member.limit() == 0;
        return Err(if over { Damage::HeaderTooLong } else { Damage::CutShort }.into());
    }
    let line = line.strip_suffix(b"\r").unwrap_or(&line);
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// A reader that knows how far into the file it is.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    offset: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        self.offset += amount as u64;
    }
}
