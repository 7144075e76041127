//! The WARC of an export: the archive's own gzip members, copied byte for byte, after the warcinfo that they name. Only a
//! revisit of what is not part of the export is written out as the response that it stands for, and a page of which only a
//! part is attested as the text of that part, with its settlement.

use super::manifest::FileEntry;
use super::originals::{Original, Originals};
use super::part;
use crate::archive::{Location, completed, converted, read_at};
use crate::question::CaptureView;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use sward_proto::ids::{JobName, TaskId};

/// Where a task's page lies in an exported file: file name, offset, record id.
pub(super) type Places = BTreeMap<TaskId, (String, u64)>;

/// Copies every capture's group.
pub(super) fn write(
    archive: &Path,
    job: &JobName,
    captures: &[CaptureView],
    originals: &Originals,
    out: &Path,
) -> Result<(FileEntry, Places)> {
    let name = format!("{job}.warc.gz");
    let mut file = File::create(out.join(&name)).context("cannot write the warc")?;
    let mut offset = 0;
    let mut records = 0;
    let mut places = Places::new();
    let mut source = Source::default();

    if let Some(first) = captures.iter().map(|view| view.capture.group).min() {
        let member = source.warcinfo(archive, first.segment)?;
        file.write_all(&member)?;
        offset += member.len() as u64;
        records += 1;
    }
    for view in captures {
        let CaptureView { task, capture } = view;
        if capture.in_part {
            let page = read_at(archive, capture.page)?;
            let said = part::said(&page, &part::settlement(archive, view)?)?;
            let mut bytes = converted(&page, &said.text)?;
            bytes.extend(source.group(archive, capture.settlement, capture.settlement)?);
            places.insert(*task, (name.clone(), offset));
            records += 2;
            file.write_all(&bytes)?;
            offset += bytes.len() as u64;
            continue;
        }
        let mut bytes = source.group(archive, capture.group, capture.settlement)?;
        if let Some(Original { at, .. }) = originals.get(task).filter(|first| !first.is_exported) {
            let revisit = read_at(archive, capture.page)?;
            let original = read_at(archive, *at)?;
            let body = original.http().map(|(_, body)| body).context("a body is no answer")?;
            let length = usize::try_from(capture.page.length)?;
            bytes.splice(..length, completed(&revisit, body)?);
        }
        places.insert(*task, (name.clone(), offset + (capture.page.offset - capture.group.offset)));
        records += count_members(archive, capture.group, capture.settlement)?;
        file.write_all(&bytes)?;
        offset += bytes.len() as u64;
    }
    file.sync_all()?;
    Ok((FileEntry::of(out, &name, records)?, places))
}

fn count_members(archive: &Path, from: Location, to: Location) -> Result<u64> {
    let start = crate::archive::Position { segment: from.segment, offset: from.offset };
    let mut count = 0;
    for record in crate::archive::records_from(archive, start)? {
        let (at, _) = record?;
        count += 1;
        if at == to {
            return Ok(count);
        }
    }
    anyhow::bail!("a capture's settlement is not in the archive")
}

/// The segment that is being copied from.
#[derive(Default)]
struct Source {
    open: Option<(u32, File)>,
}

impl Source {
    fn file(&mut self, archive: &Path, segment: u32) -> Result<&mut File> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != segment) {
            let path = archive.join(format!("sward-{segment:08}.warc.gz"));
            let file = File::open(&path).with_context(|| format!("{}", path.display()))?;
            self.open = Some((segment, file));
        }
        self.open.as_mut().map(|(_, file)| file).context("no segment is open")
    }

    fn group(&mut self, archive: &Path, from: Location, to: Location) -> Result<Vec<u8>> {
        let length = (to.offset + to.length).saturating_sub(from.offset);
        let mut bytes = vec![0; usize::try_from(length)?];
        let file = self.file(archive, from.segment)?;
        file.seek(SeekFrom::Start(from.offset))?;
        file.read_exact(&mut bytes).context("a capture is not in the archive")?;
        Ok(bytes)
    }

    /// The warcinfo that the copied records name.
    fn warcinfo(&mut self, archive: &Path, segment: u32) -> Result<Vec<u8>> {
        let start = crate::archive::Position { segment, offset: 0 };
        let mut records = crate::archive::records_from(archive, start)?;
        let (at, _) = records.next().context("the archive is empty")??;
        self.group(archive, at, at)
    }
}
