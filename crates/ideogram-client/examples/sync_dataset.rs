//! Uploads a folder of images and captions to a dataset, and prints the outcome of each file.
//!
//! `cargo run -p ideogram-client --example sync_dataset -- --mock`
//!
//! A folder and the id of a dataset may follow: `-- --mock lanterns demo`. Run it again after an interruption, and it
//! continues: the journal is next to the folder.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use ideogram_client::dataset::{FileState, Folder};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let mut arguments = env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    // Without an argument, a temporary folder.
    let temporary = tempfile::tempdir()?;
    let folder = match arguments.next() {
        Some(folder) => PathBuf::from(folder),
        None => lanterns(temporary.path())?,
    };
    let dataset_id = match arguments.next() {
        Some(id) => id.into(),
        None => client.create_dataset().name("Paper lanterns").send().await?.dataset_id,
    };

    let plan = client.plan_dataset(&dataset_id, Folder::read(&folder).await?).await?;
    println!("{} files to send, {} bytes", plan.missing().count(), plan.missing_bytes());
    for file in &plan.files {
        if let FileState::Rejected(rejection) = &file.state {
            println!("{} is left out: {rejection}", file.file.path.display());
        }
    }

    let report = client.sync_dataset(plan, folder.with_extension("sync.jsonl")).await?;
    for file in &report.files {
        println!("{}: {}", file.file.name, file.outcome);
    }
    println!("can be trained: {:?}", report.after.trainable_now.status);
    match report.stopped {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// Creates a folder with a few images, a caption, and a file that only looks like an image.
fn lanterns(parent: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let folder = parent.join("lanterns");
    fs::create_dir(&folder)?;
    for name in ["red.png", "green.png", "blue.png"] {
        fs::write(folder.join(name), include_bytes!("setup/lantern.png"))?;
    }
    fs::write(folder.join("red.txt"), "a red paper lantern at night")?;
    fs::write(folder.join("broken.png"), "no image at all")?;
    Ok(folder)
}
