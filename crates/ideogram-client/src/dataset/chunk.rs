//! Chunks: the files of one upload.

use super::{LocalFile, name, size_of};

/// The maximum size of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

/// Packs files into chunks, in order. Files of one stem, an image and its caption, stay together, even if they exceed
/// the limits.
pub(crate) fn pack(files: Vec<LocalFile>, limits: Limits) -> Vec<Vec<LocalFile>> {
    let mut groups: Vec<Vec<LocalFile>> = Vec::new();
    let mut indexes = std::collections::BTreeMap::new();
    for file in files {
        let index = *indexes.entry(name::stem(&file.name).to_owned()).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(file);
    }
    let mut chunks: Vec<Vec<LocalFile>> = Vec::new();
    for group in groups {
        match chunks.last_mut() {
            Some(chunk)
                if chunk.len() + group.len() <= limits.files && size_of(chunk.iter().chain(&group)) <= limits.bytes =>
            {
                chunk.extend(group);
            }
            _ => chunks.push(group),
        }
    }
    chunks
}

/// Splits a chunk into two; `None` if it has the files of one stem only.
pub(crate) fn halves(files: &[LocalFile]) -> Option<[Vec<LocalFile>; 2]> {
    let mut groups = pack(files.to_vec(), Limits { files: 1, bytes: 0 });
    if groups.len() < 2 {
        return None;
    }
    let rest = groups.split_off(groups.len().div_ceil(2));
    Some([groups.concat(), rest.concat()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::FileKind;

    fn local(files: &[(&str, u64)]) -> Vec<LocalFile> {
        let file = |(name, size_bytes): &(&str, u64)| LocalFile {
            path: (*name).into(),
            name: (*name).to_owned(),
            size_bytes: *size_bytes,
            kind: FileKind::Png,
            fault: None,
            has_byte_order_mark: false,
        };
        files.iter().map(file).collect()
    }

    fn names(chunks: impl IntoIterator<Item = Vec<LocalFile>>) -> Vec<Vec<String>> {
        chunks.into_iter().map(|chunk| chunk.into_iter().map(|file| file.name).collect()).collect()
    }

    fn packed(files: &[(&str, u64)], limits: Limits) -> Vec<Vec<String>> {
        names(pack(local(files), limits))
    }

    #[test]
    fn a_chunk_is_halved_down_to_the_files_of_one_stem() {
        let files = local(&[("a.png", 0), ("b.png", 0), ("c.png", 0), ("a.txt", 0), ("c.txt", 0)]);

        let [first, second] = halves(&files).unwrap();

        assert_eq!(names([first.clone(), second.clone()]), [vec!["a.png", "a.txt", "b.png"], vec!["c.png", "c.txt"]]);
        assert_eq!(names(halves(&first).unwrap()), [vec!["a.png", "a.txt"], vec!["b.png"]]);
        assert!(halves(&second).is_none());
        assert!(halves(&[]).is_none());
    }

    #[test]
    fn a_caption_is_in_the_chunk_of_its_image() {
        let files = [("a.png", 1), ("b.png", 1), ("c.png", 1), ("a.txt", 1), ("c.txt", 1)];

        assert_eq!(
            packed(&files, Limits { files: 3, bytes: 100 }),
            [vec!["a.png", "a.txt", "b.png"], vec!["c.png", "c.txt"]]
        );
        assert_eq!(packed(&files, Limits { files: 1, bytes: 100 }).len(), 3);
    }

    #[test]
    fn a_chunk_exceeds_its_size_only_with_a_single_file() {
        let files = [("a", 6), ("b", 4), ("c", 1), ("d", 50), ("e", 1)];

        assert_eq!(packed(&files, Limits { files: 10, bytes: 10 }), [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e"]]);
        assert!(packed(&[], Limits { files: 1, bytes: 1 }).is_empty());
    }
}
