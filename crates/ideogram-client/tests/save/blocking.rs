//! Saving without `async`.

use ideogram_client::{
    ErrorKind,
    save::{Image as _, ImageOutcome},
};
use ideogram_mock::MockServer;

use crate::{builder, names};

#[test]
fn images_are_saved_without_async() {
    // The server has a thread of its own.
    let server = MockServer::start_blocking().unwrap();
    let client = builder(server.url()).api_key(server.api_key()).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let response = client.generate_image_v3().prompt("A paper lantern").send_blocking().unwrap();
    let ImageOutcome::Available(link) = response.data[0].outcome() else { panic!("{response:?}") };

    let all = client.save_all(&response, folder.path()).stem("all").save_blocking().unwrap();
    let one = client.save(link, folder.path().join("one")).save_blocking().unwrap();
    let again = client.save(link, folder.path().join("one")).save_blocking().unwrap_err();

    assert_eq!(all.len(), 1);
    assert_eq!(one.path, folder.path().join("one.png"));
    assert_eq!(again.kind(), ErrorKind::LocalIo);
    assert_eq!(names(folder.path()), ["all.json", "all.png", "one.json", "one.png"]);
}
