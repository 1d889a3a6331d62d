//! The page of the inspector in a browser, where there is one.

use std::{io::Write as _, time::Duration};

use ideogram_mock::{MockServer, MockServerBuilder, Scenario};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    caller::{Caller, form, with_png},
};

const HOSTILE: &str = "<img src=x onerror=\"document.title='taken over'\"><script>document.title='again'</script> 🏮";

/// A server, and a browser that shows its page.
async fn opened(builder: MockServerBuilder) -> Option<(Caller, Browser)> {
    let Some(mut browser) = Browser::start() else {
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "skipped: there is no chromium on the PATH (apt-get install chromium)").unwrap();
        return None;
    };
    let caller = Caller::with(builder).await;
    browser.set_screen((1280, 900), "light");
    browser.call("Page.navigate", &json!({"url": format!("{}/__mock", caller.server.url())}));
    browser.wait_for("document.getElementById('live')?.textContent === 'live'");
    Some((caller, browser))
}

/// Calls of all kinds, with texts of all kinds.
async fn fill(caller: &Caller) {
    caller.get("/datasets/demo").await;
    caller.post("/datasets", &json!({"name": HOSTILE})).await;
    caller.post_form("/v1/ideogram-v3/generate", form([("prompt", HOSTILE), ("num_images", "2")])).await;
    let long = "a-very-long-name-without-any-space-".repeat(8);
    caller.get(&format!("/models/{long}?scope=owned&{long}={long}")).await;
    caller.upload([("<b>lantern</b>.png", crate::caller::png())]).await;
    let remix = with_png(form([("prompt", "A paper lantern")]), "image", "lantern.png", (64, 64));
    caller.post_form("/v1/ideogram-v3/remix", remix).await;
    let generate = "/v2/image/generate/ideogram-4";
    caller.post(generate, &json!({"prompt": "a hanging lamp", "async": true})).await;
    caller.post(generate, &json!({"prompt": "a lamp", "webhook_url": "http://127.0.0.1:9/<i>hook</i>"})).await;
    caller.post(generate, &json!({"prompt": "a lamp", "webhook_url": "http://127.0.0.1:9/webhook"})).await;
    caller.post_form("/v1/ideogram-v3/generate", form([("prompt", "something forbidden")])).await;
    let lost = form([("prompt", "a lost response")]);
    let _ = caller.request(Method::POST, "/v1/ideogram-v3/generate").multipart(lost).send().await;
}

fn text(browser: &mut Browser) -> String {
    browser.value("document.body.innerText").as_str().unwrap().to_owned()
}

/// What the page wrote to the console, and the addresses that it requested.
fn reports(browser: &Browser) -> (Vec<&Value>, Vec<&str>) {
    let of = |methods: &'static [&str]| {
        browser.events.iter().filter(move |event| methods.iter().any(|method| event["method"] == *method))
    };
    let console = of(&["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"]).collect();
    let requests = of(&["Network.requestWillBeSent"]).filter_map(|event| event["params"]["request"]["url"].as_str());
    (console, requests.collect())
}

#[tokio::test]
async fn the_page_shows_requests_as_text_and_asks_no_other_host() {
    let Some((caller, mut browser)) = opened(MockServer::builder()).await else { return };
    let empty = text(&mut browser);
    assert!(empty.contains("No requests yet") && empty.contains(caller.server.url()), "{empty}");
    browser.screenshot("inspector-empty");

    fill(&caller).await;
    browser.wait_for("document.querySelectorAll('#requests > li').length === 11");
    browser.value("document.querySelectorAll('details').forEach((box) => { box.open = true; })");
    browser.wait_for("document.querySelectorAll('#requests .inside').length === 11");

    let output = text(&mut browser);
    for expected in [HOSTILE, "<b>lantern</b>.png", "post_generate_image_v3", "lantern.png", "dataset_id", "pending"] {
        assert!(output.contains(expected), "{expected}: {output}");
    }
    assert!(!output.contains(caller.server.api_key()), "{output}");
    assert_eq!(browser.value("document.title"), "ideogram mock");
    assert_eq!(browser.value("document.images.length + document.querySelectorAll('b, i').length"), 0);
    let (console, requests) = reports(&browser);
    assert!(console.is_empty(), "{console:?}");
    let own = format!("{}/__mock", caller.server.url());
    for url in requests {
        assert!(url.starts_with(&own) || url.starts_with("data:"), "{url}");
    }
}

#[tokio::test]
async fn the_page_fits_every_screen_light_and_dark() {
    let Some((caller, mut browser)) = opened(MockServer::builder()).await else { return };
    fill(&caller).await;
    caller.server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(Duration::from_secs(7)) });
    browser.wait_for("document.getElementById('scenario').textContent === 'rate limited once, 7'");
    browser.wait_for("document.querySelectorAll('#webhooks time').length > 1");
    let open = "[1, 8].forEach((index) => { document.querySelectorAll('#requests details')[index].open = true; });
                document.querySelector('#datasets details').open = true";
    browser.value(open);

    for (name, size, scheme) in [
        ("light", (1280, 900), "light"),
        ("dark", (1280, 900), "dark"),
        ("narrow", (360, 800), "light"),
        ("narrow-dark", (360, 800), "dark"),
    ] {
        browser.set_screen(size, scheme);
        browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        let wide =
            "[...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect().right > innerWidth)
                    .map((node) => node.outerHTML.slice(0, 200))";
        assert_eq!(browser.value(wide), json!([]), "{name}");
        assert_eq!(browser.value("document.documentElement.scrollWidth"), size.0, "{name}");
        let background = browser.value("getComputedStyle(document.body).backgroundColor");
        assert_eq!(background == "rgb(22, 21, 20)", scheme == "dark", "{name}: {background}");
        browser.screenshot(&format!("inspector-{name}"));
    }
}

#[tokio::test]
async fn the_page_pauses_while_it_is_hidden_and_notices_a_restart() {
    let Some((caller, mut browser)) = opened(MockServer::builder()).await else { return };
    let hide = |browser: &mut Browser, is_hidden: bool| {
        browser.value(&format!(
            "Object.defineProperty(document, 'hidden', {{ value: {is_hidden}, configurable: true }});
             document.dispatchEvent(new Event('visibilitychange'))"
        ));
    };
    caller.get("/datasets").await;
    browser.wait_for("document.querySelectorAll('#requests > li').length === 1");

    hide(&mut browser, true);
    browser.wait_for("document.getElementById('live').textContent === 'paused'");
    caller.get("/models").await;
    let polls = reports(&browser).1.len();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    browser.value("0");
    assert_eq!(reports(&browser).1.len(), polls);
    hide(&mut browser, false);
    browser.wait_for("document.querySelectorAll('#requests > li').length === 2");

    let port = caller.server.url().rsplit(':').next().unwrap().parse().unwrap();
    drop(caller);
    let caller = Caller::with(MockServer::builder().port(port)).await;
    caller.get("/datasets/demo").await;
    browser.wait_for("document.querySelector('#requests .path')?.textContent === '/datasets/demo'");
    assert_eq!(browser.value("document.querySelectorAll('#requests > li').length"), 1);
}

#[tokio::test]
async fn a_scenario_is_switched_off_where_it_was_switched_on() {
    let Some((caller, mut browser)) = opened(MockServer::builder()).await else { return };
    let upload = || caller.upload([("cat.png", crate::caller::png()), ("dog.png", crate::caller::png())]);
    let click = "document.querySelector('[data-scenario=upload_fails]').click()";

    browser.value(click);
    assert_eq!(browser.value("document.querySelector('[data-field=names]').matches(':focus:invalid')"), true);
    browser.value("document.querySelector('[data-field=names]').value = 'cat.png, other.png'");
    browser.value(click);
    browser.wait_for("document.getElementById('scenario').textContent === 'upload fails, cat.png, other.png'");
    let failed = upload().await;
    browser.value("document.querySelector('[data-field=names]').value = ''");
    browser.value(click);
    browser.wait_for("document.querySelector('[aria-pressed=true]') === null");
    let stored = upload().await;

    assert_eq!((&failed.body["failure_count"], &stored.body["failure_count"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn scenario_time_and_requests_are_driven_from_the_keyboard() {
    let Some((caller, mut browser)) = opened(MockServer::builder()).await else { return };
    let tab = |browser: &mut Browser, selector: &str| {
        let is_there = format!("document.activeElement.matches({selector:?})");
        for _ in 0..40 {
            browser.press("Tab", 9);
            if browser.value(&is_there) == true {
                return;
            }
        }
        panic!("the Tab key does not reach {selector}");
    };

    tab(&mut browser, "[data-scenario=server_error_once]");
    browser.press("Enter", 13);
    browser.wait_for("document.querySelector('[aria-pressed=true]')?.dataset.scenario === 'server_error_once'");
    assert_eq!(caller.get("/datasets").await.status, 500);
    browser.wait_for("document.querySelector('[aria-pressed=true]') === null");
    tab(&mut browser, "[data-advance='3600']");
    browser.press("Enter", 13);
    browser.wait_for("document.getElementById('time').textContent === '2026-07-01 10:00:00 UTC'");
    tab(&mut browser, "#requests summary");
    browser.press("Enter", 13);
    browser.wait_for("document.querySelector('#requests .inside')?.innerText.includes('The scenario of the server')");
    browser.wait_for("document.activeElement.matches('#requests summary')");
    browser.value(
        "const field = document.getElementById('filter'); field.value = 'models';
                   field.dispatchEvent(new Event('input'))",
    );
    browser.wait_for("document.getElementById('requests-none').checkVisibility()");
    tab(&mut browser, "#clear");
    browser.press("Enter", 13);
    browser.wait_for("document.getElementById('requests-empty').checkVisibility()");
    assert!(caller.server.requests().is_empty());
    drop(caller);
    browser.wait_for("document.getElementById('live').textContent === 'the server does not respond'");
}
