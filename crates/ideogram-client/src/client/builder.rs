//! API key, address, time-outs → a ready client.

use std::{env, ffi::OsString, fmt, sync::Arc, time::Duration};

use reqwest::Url;
use tokio::sync::Semaphore;

use super::{Inner, limiter::ImageLimiter, options::Settings};
use crate::{
    ApiKey, CallOptions, Client, Error, Validation,
    generated::operations,
    net::download_client::{
        Configure, DownloadClient, POOL_IDLE_TIMEOUT, is_loopback, stack_error, with_lenient_headers,
        without_needless_roots,
    },
};

/// Where [`ClientBuilder::api_key_from_env`] finds the key.
const API_KEY_VARIABLE: &str = "IDEOGRAM_API_KEY";
/// Long enough for a slow network, short enough to tell a dead one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// As many as the service allows an organization at a time, unless agreed otherwise.
const DEFAULT_MAX_IMAGES_IN_FLIGHT: u32 = 10;
/// Attempts of calls that make no image, at a time: each takes a connection, and its files. Systems allow a process 256
/// and more.
const MAX_FREE_ATTEMPTS: usize = 100;

/// Reads the key from an environment.
fn key_from_env(variable: impl FnOnce(&str) -> Option<OsString>) -> Result<ApiKey, Error> {
    let invalid = |problem: &str| {
        let message = format!("the environment variable {API_KEY_VARIABLE} {problem}; set it to an API key");
        Error::invalid_argument(message)
    };
    let value = variable(API_KEY_VARIABLE).ok_or_else(|| invalid("is not set"))?;
    let key = value.to_str().map(str::trim).ok_or_else(|| invalid("is not valid Unicode"))?;
    if key.is_empty() { Err(invalid("is empty")) } else { ApiKey::new(key) }
}

/// Adjusts a [`Client`] before it is made.
#[must_use = "a builder makes nothing until `build()` is called"]
pub struct ClientBuilder {
    api_key: Option<Result<ApiKey, Error>>,
    base_url: Option<String>,
    plain_http: PlainHttp,
    connect_timeout: Duration,
    max_images_in_flight: u32,
    settings: Settings,
    http: Http,
    links: Option<Configure>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PlainHttp {
    LoopbackOnly,
    Anywhere,
}

enum Http {
    Ours(Option<ConfigureOnce>),
    Theirs(reqwest::Client),
    /// One of the two would be lost.
    Both,
}

type ConfigureOnce = Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            api_key: None,
            base_url: None,
            plain_http: PlainHttp::LoopbackOnly,
            connect_timeout: CONNECT_TIMEOUT,
            max_images_in_flight: DEFAULT_MAX_IMAGES_IN_FLIGHT,
            settings: Settings::default(),
            http: Http::Ours(None),
            links: None,
        }
    }

    /// The key that every call carries. Required, except as [`ClientBuilder::without_api_key`] says.
    pub fn api_key(mut self, api_key: impl AsRef<str>) -> Self {
        self.api_key = Some(ApiKey::new(api_key));
        self
    }

    /// Takes the key from the environment variable `IDEOGRAM_API_KEY`. If the variable is not set, or does not hold a
    /// key, [`ClientBuilder::build`] fails.
    pub fn api_key_from_env(mut self) -> Self {
        self.api_key = Some(key_from_env(|name| env::var_os(name)));
        self
    }

    /// For programs that save images from links or prepare requests, which takes no key. Whatever is sent to the
    /// service fails with [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) before it leaves.
    pub fn without_api_key(mut self) -> Self {
        self.api_key = Some(Ok(ApiKey::none()));
        self
    }

    /// Another address than the service's own, such as a mock server or a gateway; a path is kept in front of the
    /// operations' own.
    ///
    /// Plain `http` is refused unless the host is this machine: the key would travel in the clear.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Allows plain `http` to any host. The key then travels in the clear.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Anywhere;
        self
    }

    /// How long a connection may take to be established: 10 seconds by default. Nothing has been sent by then.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many images may be in the making at a time, for the client and all its clones: 10 by default, which is what
    /// the service allows an organization. A call waits until there is room for the images that it makes; one that
    /// makes more than this takes all the room. When the service says that it allows fewer, the client keeps to that,
    /// and tries one more for each minute that passes.
    pub fn max_images_in_flight(mut self, images: u32) -> Self {
        self.max_images_in_flight = images;
        self
    }

    /// What all calls have in common, unless [`Client::with`] says otherwise for some. Called again, it adds to what
    /// was set before.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.settings = self.settings.with(options);
        self
    }

    /// Whether requests are checked against the document before they are sent.
    pub fn validation(self, validation: Validation) -> Self {
        self.options(CallOptions::new().validation(validation))
    }

    /// Adjusts the HTTP stack: proxies, certificate authorities, local addresses. Redirects stay off, and so do the
    /// stack's own repeats. Called again, it adjusts what the earlier call left.
    pub fn configure_http(
        mut self,
        configure: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.http = match self.http {
            Http::Ours(Some(earlier)) => Http::Ours(Some(Box::new(move |builder| configure(earlier(builder))))),
            Http::Ours(None) => Http::Ours(Some(Box::new(configure))),
            Http::Theirs(_) | Http::Both => Http::Both,
        };
        self
    }

    /// Adjusts the HTTP stack that fetches links when images are saved: proxies, certificate authorities. It is a
    /// stack of its own, because links lead to other hosts: whatever is set here reaches them, default headers
    /// included, and nothing that [`ClientBuilder::configure_http`] sets does. Redirects and repeats stay as saving
    /// needs them. Called again, it adjusts what the earlier call left.
    pub fn configure_downloads(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.links = Some(match self.links {
            Some(earlier) => Box::new(move |builder| configure(earlier(builder))),
            None => Box::new(configure),
        });
        self
    }

    /// Sends with a client of your own, at your own risk: whether redirects are followed (with the key, and a paid
    /// request sent twice), whether requests are repeated, and how long a connection may take is then yours to decide.
    /// Links are fetched with the stack of [`ClientBuilder::configure_downloads`] all the same.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = match self.http {
            Http::Ours(None) | Http::Theirs(_) => Http::Theirs(client),
            Http::Ours(Some(_)) | Http::Both => Http::Both,
        };
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the key or the address cannot be used, or
    /// the HTTP stack refuses its settings;
    /// [`ErrorKind::Transport`](crate::ErrorKind::Transport) if the address needs https and this system has no
    /// certificate authorities.
    pub fn build(self) -> Result<Client, Error> {
        let api_key =
            self.api_key.unwrap_or_else(|| Err(Error::invalid_argument("no API key was given".to_owned())))?;
        let base_url = checked_base_url(self.base_url.as_deref().unwrap_or(operations::SERVER_URL), self.plain_http)?;
        let http = match self.http {
            Http::Theirs(client) => client,
            Http::Both => {
                let message = "`configure_http` adjusts the client's own HTTP stack, and `http_client` replaces it";
                return Err(Error::invalid_argument(message.to_owned()));
            }
            Http::Ours(configure) => {
                let mut defaults = reqwest::Client::builder()
                    .user_agent(concat!("ideogram-client/", env!("CARGO_PKG_VERSION")))
                    .connect_timeout(self.connect_timeout)
                    .pool_idle_timeout(POOL_IDLE_TIMEOUT)
                    .tcp_keepalive(POOL_IDLE_TIMEOUT);
                defaults = without_needless_roots(with_lenient_headers(defaults), &base_url);
                // A proxy named by the environment must not get what is meant for this machine, key included.
                if is_loopback(&base_url) {
                    defaults = defaults.no_proxy();
                }
                // What keeps the promises comes last, so that nothing switches it on again. Another crate of the
                // program may have switched decompression on for everybody: a response is then not what was on the
                // wire.
                let builder = match configure {
                    Some(configure) => configure(defaults),
                    None => defaults,
                };
                let builder = builder
                    .http1_only()
                    .redirect(reqwest::redirect::Policy::none())
                    .retry(reqwest::retry::never())
                    .no_gzip()
                    .no_brotli()
                    .no_deflate()
                    .no_zstd();
                builder.build().map_err(stack_error)?
            }
        };
        self.settings.check()?;
        if self.max_images_in_flight == 0 {
            return Err(Error::invalid_argument(
                "no image could ever be made with `max_images_in_flight(0)`".to_owned(),
            ));
        }
        let inner = Inner {
            http,
            api_key,
            base_url,
            links: DownloadClient::new(self.connect_timeout, self.links),
            limiter: ImageLimiter::new(self.max_images_in_flight),
            attempts: Arc::new(Semaphore::new(MAX_FREE_ATTEMPTS)),
            #[cfg(feature = "blocking")]
            blocking: super::blocking::Blocking::default(),
        };
        Ok(Client::from_parts(inner, self.settings))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address that will be refused may hold a key by mistake.
        let base_url = self.base_url.as_deref().map(|url| match checked_base_url(url, PlainHttp::Anywhere) {
            Ok(url) => url.to_string(),
            Err(_) => "(cannot be used)".to_owned(),
        });
        formatter.debug_struct("ClientBuilder").field("base_url", &base_url).finish_non_exhaustive()
    }
}

fn checked_base_url(text: &str, plain_http: PlainHttp) -> Result<Url, Error> {
    let refused = |reason: &str| Error::invalid_argument(format!("the base URL {reason}"));
    // An address that does not parse may hold a key by mistake, so it is not repeated.
    let url = Url::parse(text).map_err(|error| refused(&format!("is not valid: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("must not have a query or fragment"));
    }
    match url.scheme() {
        "https" | "http" if !has_valid_host(&url) => Err(refused("has a host whose name cannot be one")),
        "https" => Ok(url),
        "http" if plain_http == PlainHttp::Anywhere || is_loopback(&url) => Ok(url),
        "http" => {
            Err(refused("is plain http to another machine: the key would travel in the clear; use https, or allow it"))
        }
        other => Err(refused(&format!("has the scheme `{other}`; use https"))),
    }
}

/// What no resolver can answer: an empty label, or one or a name that is too long.
fn has_valid_host(url: &Url) -> bool {
    let Some(name) = url.domain() else { return true };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_environment_is_found_and_its_absence_explained() {
        for (value, message) in [
            (None, "the environment variable IDEOGRAM_API_KEY is not set; set it to an API key"),
            (Some(" "), "the environment variable IDEOGRAM_API_KEY is empty; set it to an API key"),
            (Some("a b"), "the API key holds white space or characters beyond ASCII, which no key does"),
        ] {
            let error = key_from_env(|_| value.map(OsString::from)).unwrap_err();

            assert_eq!((error.kind(), error.to_string().as_str()), (crate::ErrorKind::InvalidArgument, message));
        }
        assert!(key_from_env(|name| (name == "IDEOGRAM_API_KEY").then(|| "key ".into())).is_ok());
    }

    fn build(url: &str) -> Result<Client, Error> {
        Client::builder().api_key("secret").base_url(url).build()
    }

    #[test]
    fn plain_http_is_for_this_machine_unless_requested() {
        for url in ["http://127.0.0.1:80", "http://localhost:8080/", "http://[::1]:1", "https://example.test/prefix"] {
            assert!(build(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.test",
            "http://127.0.0.1.example.test",
            "ftp://localhost",
            "http://10.0.0.1",
            "localhost",
            "https://a..test",
            "https://.test",
        ] {
            assert!(build(url).is_err(), "{url}");
        }
        assert!(Client::builder().api_key("secret").base_url("http://example.test").allow_plain_http().build().is_ok());
    }

    #[test]
    fn a_host_that_no_resolver_knows_is_refused() {
        let long = "a".repeat(64);
        for host in [format!("{long}.test"), format!("{}test", "a.".repeat(130))] {
            assert!(build(&format!("https://{host}")).is_err(), "{host}");
        }
        assert!(build(&format!("https://{}.test./", &long[1..])).is_ok());
    }

    #[test]
    fn an_address_with_credentials_is_refused_without_repeating_them() {
        let error = build("https://user:hunter2@example.test").unwrap_err();

        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn a_client_shows_its_address_and_not_its_key() {
        assert_eq!(
            format!("{:?}", build("https://example.test").unwrap()),
            r#"Client { base_url: "https://example.test/", api_key: ApiKey(..), .. }"#
        );
    }
}
