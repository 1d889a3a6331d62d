//! The requests of downloads: where they go, and what they contain.

use std::{net::SocketAddr, time::Duration};

use ideogram_client::{
    CallOptions, Client, ErrorKind,
    reqwest::header::{HeaderMap, HeaderValue},
    save::{HasImages as _, Image as _, ImageOutcome, SaveOutcome},
};
use tokio::net::TcpListener;

use crate::{
    KEY, builder, client,
    host::{Host, Reply, image, response},
    mock, names, png,
};

#[tokio::test]
async fn a_download_contains_nothing_of_the_caller() {
    let service = Host::responding(Vec::new());
    let host = Host::responding(image(png(90, 1)));
    let gateway = HeaderMap::from_iter([("x-gateway".parse().unwrap(), HeaderValue::from_static("gateway-token"))]);
    let client = builder(service.url())
        .configure_http(move |builder| builder.default_headers(gateway))
        .options(CallOptions::new().header("x-trace", "trace-id"))
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();

    client.save(host.link("/x.png?exp=1&sig=2"), folder.path().join("lantern")).await.unwrap();

    let heads = host.heads().join("").replace(host.url().trim_start_matches("http://"), "[HOST]");
    insta::assert_snapshot!(heads.replace('\r', "").trim_end(), @"
    GET /x.png?exp=1&sig=2 HTTP/1.1
    accept-encoding: identity
    accept: */*
    user-agent: ideogram-client/0.1.0
    host: [HOST]
    ");
    assert!(!heads.contains(KEY));
    assert_eq!(service.requests(), 0);
}

#[tokio::test]
async fn redirects_are_followed_without_the_key_up_to_a_limit() {
    let bytes = png(90, 1);
    let host = Host::responding(image(&bytes));
    let there = host.link("/there");
    let redirects = Host::start(move |_, path| {
        let location = match path {
            "/once" => there.as_str(),
            "/twice" => "/once",
            _ => "/round",
        };
        Reply::Bytes(response(307, &format!("Location: {location}\r\n"), "moved"))
    });
    let folder = tempfile::tempdir().unwrap();
    let client = client(redirects.url());

    client.save(redirects.link("/twice"), folder.path().join("lantern")).await.unwrap();
    let error = client.save(redirects.link("/round"), folder.path().join("other")).await.unwrap_err();

    assert_eq!((host.requests(), redirects.requests()), (1, 2 + 6));
    assert!(error.to_string().contains("redirects more than 5 times"), "{error}");
    assert!(!host.heads().join("").contains(KEY) && !redirects.heads().join("").contains(KEY));
    assert_eq!(names(folder.path()), ["lantern.json", "lantern.png"]);
}

#[tokio::test]
async fn a_redirect_to_a_refused_address_is_not_followed() {
    for location in
        ["http://ideogram.ai/x.png", "file:///etc/passwd", "http://10.0.0.1/x", "http://user:word@127.0.0.1/"]
    {
        let host = Host::responding(response(302, &format!("Location: {location}\r\n"), ""));
        let folder = tempfile::tempdir().unwrap();

        let error = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap_err();

        assert_eq!((error.kind(), host.requests()), (ErrorKind::InvalidArgument, 1), "{location}: {error}");
        assert!(names(folder.path()).is_empty());
    }
}

#[tokio::test]
async fn links_to_this_machine_are_not_followed_for_an_external_service() {
    let host = Host::responding(image(png(90, 1)));
    let client = client("https://api.ideogram.ai");
    let folder = tempfile::tempdir().unwrap();

    for link in [host.link("/x"), host.link("/x").replace("127.0.0.1", "localhost"), "not a link".to_owned()] {
        let error = client.save(&link, folder.path().join("lantern")).await.unwrap_err();

        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{link}: {error}");
    }
    assert_eq!(host.requests(), 0);
}

/// A client for which `images.test` is this machine.
async fn elsewhere() -> (Client, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let builder = builder("https://api.ideogram.ai");
    let client = builder.configure_downloads(move |builder| builder.no_proxy().resolve("images.test", address));
    (client.build().unwrap(), listener)
}

#[tokio::test]
async fn an_expired_link_is_requested_nevertheless() {
    let (client, listener) = elsewhere().await;
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let save = client.save(format!("https://images.test:{port}/x.png?exp=1&sig=e13e"), folder.path().join("lantern"));

    // The clock of this machine may be wrong.
    let (accepted, error) = tokio::join!(async { listener.accept().await.map(drop) }, async { save.attempts(1).await });

    accepted.unwrap();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Transport);
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn an_expired_link_differs_from_a_refused_one() {
    for (status, query, kind) in [
        (410, "", ErrorKind::LinkExpired),
        (410, "?exp=4000000000", ErrorKind::LinkExpired),
        (403, "?exp=1", ErrorKind::LinkExpired),
        (403, "?exp=4000000000", ErrorKind::Forbidden),
        (403, "", ErrorKind::Forbidden),
        (404, "?exp=1", ErrorKind::LinkExpired),
        (404, "?exp=4000000000", ErrorKind::NotFound),
        (400, "?sig=2&exp=1", ErrorKind::LinkExpired),
        (501, "?exp=1", ErrorKind::Server),
        (302, "?exp=1", ErrorKind::UndocumentedResponse),
    ] {
        let host = Host::responding(response(status, "", "gone"));
        let folder = tempfile::tempdir().unwrap();

        let error =
            client(host.url()).save(host.link(&format!("/x{query}")), folder.path().join("x")).await.unwrap_err();

        assert_eq!((error.kind(), host.requests()), (kind, 1), "{status} {query}: {error}");
    }
}

#[tokio::test]
async fn an_image_of_yesterday_has_expired() {
    let (server, client) = mock().await;
    let response = client.generate_image_v3().prompt("A paper lantern").num_images(2).send().await.unwrap();
    let folder = tempfile::tempdir().unwrap();

    server.advance(Duration::from_secs(24 * 60 * 60));
    let outcomes = client.save_all(&response, folder.path()).outcomes().await.unwrap();

    assert_eq!(outcomes.len(), 2);
    for outcome in outcomes {
        let SaveOutcome::Failed(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.kind(), ErrorKind::LinkExpired);
    }
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn the_mock_server_serves_images_without_the_key() {
    let (server, client) = mock().await;
    let response = client.generate_image_v3().prompt("A paper lantern").send().await.unwrap();
    assert!(matches!(response.images()[0].outcome(), ImageOutcome::Available(_)));
    server.clear_requests();
    let folder = tempfile::tempdir().unwrap();

    client.save_all(&response, folder.path()).await.unwrap();

    let [request] = server.requests().try_into().unwrap();
    assert!(request.headers.get("api-key").is_none());
    assert!(!format!("{:?}", request.headers).contains(server.api_key()));
}
