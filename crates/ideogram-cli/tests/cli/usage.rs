//! `usage`.

use std::time::Duration;

use ideogram_mock::MockServer;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

/// A server with some usage on two days.
fn used() -> (MockServer, TempDir) {
    let (server, home) = (serve(MockServer::builder()), TempDir::new().unwrap());
    let generate = |quality: &str, number: &str| {
        let arguments = [
            "api",
            "post_generate_image_v2_ideogram45",
            "--prompt=a cat",
            "--quality",
            quality,
            "--num-images",
            number,
        ];
        let ran = ideogram(arguments).against(&server).at_home(home.path()).run();
        assert_eq!(ran.code(), Some(0), "{ran}");
    };
    generate("high", "2");
    generate("very_low", "1");
    server.advance(Duration::from_secs(86_400));
    let described = ideogram(["api", "post_generate_image_v2_ideogram_v4", "--prompt", "a cat"]);
    assert_eq!(described.against(&server).at_home(home.path()).run().code(), Some(0));
    server.clear_requests();
    (server, home)
}

const JULY: [&str; 5] = ["usage", "--since", "2026-07-01", "--until", "2026-07-31"];

#[test]
fn costs_are_summed_by_day_and_by_operation() {
    let (server, _home) = used();

    let ran = ideogram(JULY).against(&server).run();

    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    DAY           COST
    2026-07-01  $0.208
    2026-07-02   $0.06

    OPERATION                        PRODUCT  QUANTITY  UNIT     COST
    /v2/image/generate/ideogram-4    image           1  image   $0.06
    /v2/image/generate/ideogram-4-5  image           3  image  $0.208

    Total:  $0.268
    ");
    let query = "start_time=2026-07-01T00%3A00%3A00Z&end_time=2026-08-01T00%3A00%3A00Z&bucket_width=1d";
    assert_eq!(server.requests()[0].query.as_deref(), Some(query));
}

#[test]
fn costs_are_summed_by_hour() {
    let (server, _home) = used();
    let arguments =
        ["usage", "--by=hour", "--since=2026-07-01T09:30:00Z", "--until=2026-07-01T10:00:00Z", "--source=api"];

    let ran = ideogram(arguments).against(&server).run();

    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    HOUR                       COST
    2026-07-01 09:00:00 UTC  $0.208

    OPERATION                        PRODUCT  QUANTITY  UNIT     COST
    /v2/image/generate/ideogram-4-5  image           3  image  $0.208

    Total:  $0.208
    ");
}

#[test]
fn json_has_the_report_and_its_sums() {
    let (server, _home) = used();

    let shown = ideogram(JULY.into_iter().chain(["--output", "json"])).against(&server).run().json();

    assert_eq!(shown["buckets"].as_array().unwrap().len(), 31);
    assert_eq!(shown["buckets"][0]["line_items"].as_array().unwrap().len(), 2);
    insta::assert_json_snapshot!(json!([shown["total"], shown["by_time"], shown["by_operation"]]), @r#"
    [
      [
        {
          "currency_code": "USD",
          "cost_total": "0.268000"
        }
      ],
      [
        {
          "time": "2026-07-01",
          "currency_code": "USD",
          "cost_total": "0.208000"
        },
        {
          "time": "2026-07-02",
          "currency_code": "USD",
          "cost_total": "0.060000"
        }
      ],
      [
        {
          "endpoint": "/v2/image/generate/ideogram-4",
          "product": "image",
          "quantity": "1",
          "unit": "image",
          "currency_code": "USD",
          "cost_total": "0.060000"
        },
        {
          "endpoint": "/v2/image/generate/ideogram-4-5",
          "product": "image",
          "quantity": "3",
          "unit": "image",
          "currency_code": "USD",
          "cost_total": "0.208000"
        }
      ]
    ]
    "#);
}

#[test]
fn sums_are_exact_and_separate_for_each_currency() {
    let item = |cost: &str, currency: &str, source: &str| {
        json!({"product": "image", "endpoint": "/v2/x", "description": "", "cost_total": cost, "currency_code": currency,
            "source": source})
    };
    let items = [
        item("0.1", "USD", "api"),
        item("0.2", "USD", "app"),
        item("9007199254740993.000001", "USD", "api"),
        item("5", "EUR", "api"),
    ];
    let bucket = json!({"start_time": "2026-07-01T00:00:00Z", "end_time": "2026-07-02T00:00:00Z", "line_items": items});
    let rogue = Rogue::responding("200 OK", &json!({"buckets": [bucket]}).to_string());

    let ran = ideogram(JULY).at(rogue.url()).run();

    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    DAY                             COST
    2026-07-01                  5.00 EUR
    2026-07-01  $9007199254740993.300001

    OPERATION  PRODUCT  QUANTITY  UNIT                      COST
    /v2/x      image           -  -                     5.00 EUR
    /v2/x      image           -  -     $9007199254740993.300001

    Total:  5.00 EUR
            $9007199254740993.300001
    ");
}

#[test]
fn nothing_used_is_said() {
    let server = serve(MockServer::builder());

    let ran = ideogram(JULY).against(&server).run();

    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    Total:  -
    ----- stderr -----
    nothing was used in this time
    ");
}

#[test]
fn a_key_without_access_is_explained() {
    let rogue = Rogue::responding("404 Not Found", "{}");

    let ran = ideogram(JULY).at(rogue.url()).run();

    snapshot!(ran, @"
    exit code: 5
    ----- stderr -----
    error: cannot get the usage
      caused by: get_account_usage_v2: 404 Not Found: no reason given
    hint: this key's owner is not an administrator of the organization: the service shows usage to nobody else
    ");
}

#[test]
fn a_cost_that_is_no_number_is_an_error_that_names_the_way_to_the_report() {
    let item = json!({"product": "image", "endpoint": "/v2/x", "description": "", "cost_total": "free", "currency_code": "USD"});
    let bucket =
        json!({"start_time": "2026-07-01T00:00:00Z", "end_time": "2026-07-02T00:00:00Z", "line_items": [item]});
    let rogue = Rogue::responding("200 OK", &json!({"buckets": [bucket]}).to_string());

    let ran = ideogram(JULY).at(rogue.url()).run();

    snapshot!(ran, @r#"
    exit code: 1
    ----- stderr -----
    error: the costs of the report cannot be summed
      caused by: the cost "free" of `/v2/x` cannot be read
      caused by: not a decimal number such as 12.50
    hint: `ideogram api get_account_usage_v2 --start-time 2026-07-01T00:00:00Z` prints the report as it came
    "#);
}

#[test]
fn a_time_that_no_report_has_is_refused_before_anything_is_sent() {
    let server = serve(MockServer::builder());
    for (arguments, reason) in [
        (["--since", "yesterday"], "must be a date such as"),
        (["--since", "2026-01-01"], "one report"),
        (["--by", "week"], "invalid value"),
        (["--source", "web"], "invalid value"),
    ] {
        let arguments = ["usage", "--until", "2026-10-07"].into_iter().chain(arguments);
        let ran = ideogram(arguments.clone()).against(&server).run();

        let line = arguments.collect::<Vec<_>>().join(" ");
        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{line}: {ran}");
        assert!(ran.stderr().contains(reason), "{line}: {ran}");
    }
    let arguments = ["usage", "--by", "hour", "--since", "2026-07-01", "--until", "2026-07-31"];
    snapshot!(ideogram(arguments).against(&server).run(), @"
    exit code: 2
    ----- stderr -----
    error: 744 hours are more than the 168 of one report: nothing was sent
    hint: set a later --since, or an earlier --until
    hint: `--by day` reports a longer time
    ");
    assert!(server.requests().is_empty());
}
