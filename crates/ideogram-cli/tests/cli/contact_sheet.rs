//! The contact sheet in a browser, where there is one: `chromium`, `chromium-browser` or `google-chrome`.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use ideogram_mock::MockServer;

use crate::invocation::{ideogram, serve};

const ROWS: &str = r#"{"prompt": "<script>document.title='taken over'</script><img src=x onerror=\"document.title='again'\"> 🏮", "id": "hostile"}
{"prompt": "some withheld cats", "id": "cats", "model": "v3", "num_images": 2}
{"prompt": "something forbidden", "id": "refused"}
{"prompt": "never run", "id": "waiting", "model": "v3", "num_images": 8}
"#;

fn browser() -> Option<PathBuf> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

fn make(folder: &Path) -> PathBuf {
    fs::write(folder.join("rows.jsonl"), ROWS).unwrap();
    let server = serve(MockServer::builder());
    let ran = ideogram(["batch", "rows.jsonl", "--out", "out", "--max-images", "8", "--max-in-flight", "1"])
        .against(&server)
        .in_folder(folder)
        .run();
    assert_eq!(ran.code(), Some(11), "{ran}");
    folder.join("out/contact-sheet.html")
}

fn shown(browser: &Path, profile: &Path, page: &Path, more: &[&str]) -> std::process::Output {
    Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap()
}

/// The share of pixels of the left edge that are darker than the middle.
fn darkness(path: &Path) -> f64 {
    let image = image::open(path).unwrap().to_luma8();
    let edge: Vec<u8> = (0..image.height()).map(|y| image.get_pixel(2, y).0[0]).collect();
    let dark = edge.iter().filter(|value| **value < 128).count();
    f64::from(u32::try_from(dark).unwrap()) / f64::from(image.height())
}

#[test]
fn the_sheet_holds_all_rows_and_needs_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(make(place.path())).unwrap();

    assert_eq!(page.matches("<article").count(), 4);
    assert_eq!(page.matches("src=\"data:image/").count(), 2, "a thumbnail for each saved image");
    for (what, expected) in [("<script", 0), ("http:", 0), ("https:", 0), ("onerror=\"", 0), ("url(", 0)] {
        assert_eq!(page.matches(what).count(), expected, "{what}");
    }
    for text in [
        "default-src 'none'",
        "<b>withheld</b>generated and billed",
        "<b>declined</b> not billed: ",
        "<b>not run</b> run the same command again",
        "href=\"./cats-1.png\"",
        "seed ",
        "&lt;script&gt;",
        "🏮",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn a_browser_shows_the_sheet_light_and_dark_and_runs_no_script() {
    let Some(browser) = browser() else {
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "skipped: there is no chromium on the PATH (apt-get install chromium)").unwrap();
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let page = make(place.path());
    let profile = place.path().join("profile");

    let dom = shown(&browser, &profile, &page, &["--dump-dom"]);
    let dom = String::from_utf8_lossy(&dom.stdout);
    assert!(dom.contains("<title>rows.jsonl</title>"), "no script of a prompt has run: {dom}");
    assert_eq!(dom.matches("<article").count(), 4);

    for (name, size, scheme, is_dark) in
        [("light", "1280,900", "1", false), ("dark", "1280,900", "0", true), ("narrow", "500,1400", "1", false)]
    {
        let image = place.path().join(format!("{name}.png"));
        let (size, scheme) =
            (format!("--window-size={size}"), format!("--blink-settings=preferredColorScheme={scheme}"));
        let screenshot = format!("--screenshot={}", image.display());
        let output = shown(&browser, &profile, &page, &[&size, &scheme, &screenshot]);
        assert!(image.is_file(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(darkness(&image) > 0.5, is_dark, "{name}");
        let colors: std::collections::HashSet<_> = image::open(&image).unwrap().to_rgb8().pixels().copied().collect();
        assert!(colors.len() > 20, "{name} shows images: {} colors", colors.len());
        if let Some(keep) = env::var_os("IDEOGRAM_SCREENSHOTS") {
            fs::copy(&image, Path::new(&keep).join(format!("{name}.png"))).unwrap();
        }
    }
}
