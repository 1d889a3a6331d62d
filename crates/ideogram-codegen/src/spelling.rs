//! Finds the name that a misspelled one stands for, for "did you mean".

/// Returns the known name that differs least from `name`, if one is near enough to be a typing error. Case counts least.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lowered = name.to_lowercase();
    let bound = 1 + name.chars().count() / 5;
    let candidates = known.into_iter().filter(|candidate| *candidate != name);
    let distances = candidates.map(|candidate| (distance(&lowered, &candidate.to_lowercase()), candidate));
    // A short name that shares no letter is another word.
    let near = distances.filter(|(distance, candidate)| *distance <= bound && *distance < candidate.chars().count());
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The number of letters to insert, remove, replace, or swap with the next one.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (row, letter) in from.iter().enumerate() {
        let above = &rows[row];
        let mut current = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != other);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let is_swap = row > 0 && column > 0 && from[row - 1] == *other && to[column - 1] == *letter;
            if is_swap {
                least = least.min(rows[row - 1][column - 1] + 1);
            }
            current.push(least);
        }
        rows.push(current);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_recognized_and_another_word_is_not() {
        let known = ["description", "required", "responses", "schema", "in", "DatasetId", "ModelId"];
        for (name, meant) in [
            ("descripton", Some("description")),
            ("requierd", Some("required")),
            ("respones", Some("responses")),
            ("Schema", Some("schema")),
            ("DatasetID", Some("DatasetId")),
            ("callbacks", None),
            ("contentEncoding", None),
            ("at", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }
}
