//! The charset sniffing against html5lib's tests.

mod data;

use sward_page::charset::{PRESCAN_BYTES, decode};
use sward_page::prescan::prescan;

/// Cases as (data, expected name in lower case).
fn cases(file: &[u8]) -> Vec<(Vec<u8>, String)> {
    let mut cases = Vec::new();
    let mut rest = file;
    while let Some(start) = find(rest, b"#data\n") {
        let data_on = &rest[start + 6..];
        let end = find(data_on, b"\n#encoding\n").expect("an #encoding behind each #data");
        let name_on = &data_on[end + 11..];
        let name_end = name_on.iter().position(|byte| *byte == b'\n').unwrap_or(name_on.len());
        let name = String::from_utf8_lossy(&name_on[..name_end]).trim().to_lowercase();
        cases.push((data_on[..end].to_vec(), name));
        rest = &name_on[name_end..];
    }
    cases
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|part| part == needle)
}

#[test]
fn html5lib_expects_the_same_encodings() {
    let Some(folder) = data::folder("encoding") else { return };
    let (mut passed, mut late, mut failed) = (0, 0, Vec::new());
    for file in data::files(&folder, ".dat") {
        for (body, expected) in cases(&data::read(&file)) {
            // The suite has no rule for unlabelled UTF-8, so the mark and the prescan are asked by themselves.
            let sniff = |bytes: &[u8]| match body.starts_with(b"\xef\xbb\xbf") {
                true => "utf-8".to_owned(),
                false => prescan(bytes).map_or("windows-1252", |found| found.name()).to_lowercase(),
            };
            let within = sniff(body.get(..PRESCAN_BYTES).unwrap_or(&body));
            if within == expected {
                passed += 1;
            } else if sniff(&body) == expected {
                // It expects what a browser ends with, having met a meta behind the first kilobyte.
                late += 1;
            } else {
                failed.push((String::from_utf8_lossy(&body).into_owned(), expected, within));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(passed + late >= 60 && late <= 10, "{passed} within 1,024 bytes, {late} later");
}

#[test]
fn the_mark_and_a_declaration_decide_for_the_whole_decoder_too() {
    let Some(folder) = data::folder("encoding") else { return };
    for (body, expected) in cases(&data::read(&folder.join("tests1.dat"))) {
        let body = [body.as_slice(), b"<p>\xe9"].concat();
        assert_eq!(decode(&body, None).encoding.to_lowercase(), expected);
    }
}
