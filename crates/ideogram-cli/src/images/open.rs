//! Shows saved images: in the terminal, or with the program that opens them.

use std::path::PathBuf;

use super::{
    preview,
    save_flags::{Open, SaveFlags},
};
use crate::session::context::Context;

/// Shows images as the flags request. A failure is only a warning, since the images are saved.
pub(crate) async fn show(context: &Context<'_>, saving: &SaveFlags, paths: Vec<PathBuf>) {
    // With JSON output, standard error is JSON too.
    let is_for_people = context.output().format() == crate::options::Format::Text;
    let protocol = saving.preview.protocol().filter(|_| is_for_people || saving.preview == preview::When::Always);
    let opened = match saving.open {
        None => 0,
        Some(Open::First) => 1,
        Some(Open::All) => paths.len(),
    };
    let opened = tokio::task::spawn_blocking(move || {
        if let Some(protocol) = protocol {
            for image in paths.iter().filter_map(|path| std::fs::read(path).ok()) {
                preview::show(protocol, &image);
            }
        }
        let wanted = paths.into_iter().take(opened);
        wanted.filter_map(|path| open::that_detached(&path).err().map(|error| (path, error))).collect::<Vec<_>>()
    });
    for (path, error) in opened.await.unwrap_or_default() {
        context.output().warning(&format!("cannot open \"{}\": {error}", path.display()));
    }
}
