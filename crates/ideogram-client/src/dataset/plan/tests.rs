use serde_json::json;

use super::*;
use crate::dataset::TrainabilityStatus;

fn folder(files: &[(&str, u64)]) -> Folder {
    let file = |(path, size_bytes): &(&str, u64)| {
        let name = name::base_name(path);
        let kind = if name::is_caption(&name) { FileKind::Caption } else { FileKind::Png };
        LocalFile { path: (*path).into(), name, size_bytes: *size_bytes, kind, fault: None, has_byte_order_mark: false }
    };
    Folder { path: "set".into(), files: files.iter().map(file).collect(), skipped: Vec::new() }
}

fn dataset(files: &[(Option<&str>, Option<u64>)]) -> GetDatasetResponse {
    let file = |(name, size): &(Option<&str>, Option<u64>)| json!({"file_name": name, "file_size_bytes": size});
    let response = json!({
        "dataset": {"dataset_id": "d", "name": "n", "user_id": "u", "creation_time": "2026-07-01T09:00:00Z"},
        "file_count": files.len(),
        "files": files.iter().map(file).collect::<Vec<_>>(),
    });
    serde_json::from_value(response).unwrap()
}

fn states(local: &[(&str, u64)], remote: &[(Option<&str>, Option<u64>)]) -> Vec<FileState> {
    Plan::new(folder(local), &dataset(remote)).files.into_iter().map(|file| file.state).collect()
}

#[test]
fn a_file_is_present_missing_or_different_by_name_and_size() {
    let remote = [
        (Some("a.png"), Some(1)),
        (Some("b.png"), Some(9)),
        (Some("c.png"), None),
        (Some("e.png"), Some(8)),
        (Some("e.png"), Some(1)),
        (Some("z.png"), Some(1)),
    ];

    let plan =
        Plan::new(folder(&[("a.png", 1), ("b.png", 1), ("c.png", 1), ("d.png", 1), ("e.png", 1)]), &dataset(&remote));

    let states: Vec<_> = plan.files.iter().map(|file| file.state.clone()).collect();
    assert_eq!(
        states,
        [
            FileState::Present,
            FileState::Different { remote_sizes_bytes: vec![9] },
            FileState::PresentUnverified,
            FileState::Missing,
            FileState::Present,
        ]
    );
    assert_eq!(plan.remote_only, [RemoteFile { name: "z.png".to_owned(), sizes_bytes: vec![Some(1)] }]);
    assert_eq!(plan.remote_duplicates.len(), 1);
    assert_eq!(plan.missing().count(), 1);
    assert!(!plan.is_complete());
    assert!(Plan::new(folder(&[("a.png", 1), ("c.png", 7)]), &dataset(&remote)).is_complete());
}

#[test]
fn the_same_name_in_two_folders_is_rejected_for_both() {
    let refused = states(&[("one/a.png", 1), ("two/a.png", 2), ("b.png", 1)], &[]);

    let same = |other: &str| FileState::Rejected(Rejection::SameName { others: vec![other.to_owned()] });
    assert_eq!(refused, [same("two/a.png"), same("one/a.png"), FileState::Missing]);
}

#[test]
fn unicode_forms_of_a_name_are_the_same_name() {
    let (composed, decomposed) = ("\u{f6}.png", "o\u{308}.png");

    assert_eq!(states(&[(decomposed, 1)], &[(Some(composed), Some(1))]), [FileState::Present]);
    assert_eq!(states(&[(composed, 1)], &[(Some(decomposed), Some(1))]), [FileState::Present]);
    let both = states(&[(composed, 1), (decomposed, 1)], &[]);
    assert!(
        both.iter().all(|state| matches!(state, FileState::Rejected(Rejection::SameNameInUnicode { .. }))),
        "{both:?}"
    );
    assert_eq!(Plan::new(folder(&[(decomposed, 1)]), &dataset(&[])).files[0].file.name, composed);
}

#[test]
fn names_that_differ_in_case_only_are_neither_the_same_nor_different() {
    let local = states(&[("a.png", 1), ("x/A.png", 1)], &[]);
    let remote = states(&[("a.png", 1)], &[(Some("A.png"), Some(1))]);

    assert!(local.iter().all(|state| matches!(state, FileState::Rejected(Rejection::SameNameButCase { .. }))));
    assert_eq!(remote, [FileState::Uncertain(Uncertainty::OtherCase { remote_name: "A.png".to_owned() })]);
}

#[test]
fn a_file_without_a_name_makes_files_of_its_size_uncertain() {
    let nameless = FileState::Uncertain(Uncertainty::Nameless);

    assert_eq!(states(&[("a.png", 1), ("b.png", 2)], &[(None, Some(1))]), [nameless.clone(), FileState::Missing]);
    assert_eq!(states(&[("a.png", 1)], &[(None, None)]), [nameless]);
    assert_eq!(states(&[("a.png", 1)], &[(None, None), (Some("a.png"), Some(1))]), [FileState::Present]);
    assert_eq!(Plan::new(folder(&[]), &dataset(&[(None, None), (None, Some(7))])).nameless, [None, Some(7)]);
}

#[test]
fn captions_belong_to_local_and_remote_images_of_their_stem() {
    let local = [("a.png", 1), ("a.txt", 1), ("b.txt", 1), ("c.txt", 1), ("d.jpg", 1), ("d.png", 1), ("d.txt", 1)];

    let plan = Plan::new(folder(&local), &dataset(&[(Some("b.webp"), Some(1))]));

    let caption = |name: &str| plan.files.iter().find(|file| file.file.name == name).unwrap();
    assert_eq!(caption("a.txt").belongs_to, ["a.png"]);
    assert_eq!(caption("a.png").belongs_to, ["a.txt"]);
    assert_eq!(
        (&caption("b.txt").state, &caption("b.txt").belongs_to[..]),
        (&FileState::Missing, &["b.webp".to_owned()][..])
    );
    assert_eq!(caption("c.txt").state, FileState::Rejected(Rejection::NoImage));
    assert_eq!(caption("d.txt").belongs_to, ["d.jpg", "d.png"]);
    assert_eq!(caption("d.txt").notes, [Note::SharedCaption]);
    assert_eq!(plan.rejected().count(), 1);
}

#[test]
fn a_caption_is_rejected_or_uncertain_with_its_image() {
    let mut broken = folder(&[("a.png", 1), ("a.txt", 1)]);
    broken.files[0].fault = Some(Fault::NotAImage);

    let refused = Plan::new(broken, &dataset(&[]));
    let uncertain = states(&[("a.png", 1), ("a.txt", 1)], &[(Some("A.png"), Some(1))]);
    let stored = states(&[("a.txt", 1)], &[(Some("a.txt"), Some(1))]);

    assert_eq!(refused.files[1].state, FileState::Rejected(Rejection::NoImage));
    assert_eq!(uncertain[1], FileState::Uncertain(Uncertainty::Image));
    assert_eq!(stored, [FileState::Present]);
}

#[test]
fn large_images_and_wrong_extensions_have_notes_and_are_sent() {
    let mut odd = folder(&[("a.png", LARGE_IMAGE_BYTES + 1), ("b.jpg", LARGE_IMAGE_BYTES), ("c", 1), ("d.PNG", 1)]);
    odd.files[1].kind = FileKind::Png;

    let plan = Plan::new(odd, &dataset(&[]));

    let notes: Vec<_> = plan.files.iter().map(|file| file.notes.clone()).collect();
    assert_eq!(notes, [vec![Note::Large], vec![Note::OtherFormat], vec![Note::OtherFormat], vec![]]);
    assert_eq!(plan.missing().count(), 4);
}

#[test]
fn images_count_for_a_training_and_captions_do_not() {
    let names: Vec<String> = (0..14).map(|number| format!("{number}.png")).collect();
    let mut remote: Vec<_> = names.iter().map(|name| (Some(name.as_str()), Some(1))).collect();
    remote.push((Some("0.txt"), Some(1)));

    let plan = Plan::new(folder(&[("new.png", 1), ("new.txt", 1), ("1.png", 1)]), &dataset(&remote));

    assert_eq!(plan.trainable_now.status, TrainabilityStatus::TooFew { missing: 1 });
    assert_eq!((plan.trainable_after.images, plan.trainable_after.is_certain()), (15, true));
    remote.push((None, None));
    let plan = Plan::new(folder(&[]), &dataset(&remote));
    assert_eq!(plan.trainable_now.status, TrainabilityStatus::Unknown);
}

#[test]
fn a_plan_is_data() {
    let mut set = folder(&[("a.png", 1)]);
    set.skipped.push(super::super::Skipped { path: ".x".into(), reason: super::super::SkipReason::Hidden });

    let json = serde_json::to_value(Plan::new(set, &dataset(&[(Some("b.png"), None)]))).unwrap();

    assert_eq!(
        json,
        json!({
            "dataset_id": "d", "dataset_name": "n",
            "files": [{
                "path": "a.png", "name": "a.png", "size_bytes": 1, "kind": "png", "fault": null,
                "state": "missing", "belongs_to": [], "notes": [],
            }],
            "remote_only": [{"name": "b.png", "sizes_bytes": [null]}],
            "remote_duplicates": [], "nameless": [],
            "trainable_now": {"images": 1, "uncertain": 0, "status": {"too_few": {"missing": 14}}},
            "trainable_after": {"images": 2, "uncertain": 0, "status": {"too_few": {"missing": 13}}},
            "folder": "set", "skipped": [{"path": ".x", "reason": "hidden"}],
        })
    );
}
