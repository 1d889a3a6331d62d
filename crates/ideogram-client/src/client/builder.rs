//! The builder of a client: API key, address, timeouts, HTTP stack.

use std::{env, ffi::OsString, fmt, sync::Arc, time::Duration};

use reqwest::Url;
use tokio::sync::Semaphore;

use super::{Inner, limiter::ImageLimiter, options::Settings};
use crate::{
    ApiKey, CallOptions, Client, Error, Validation,
    generated::operations,
    net::{
        download_client::{Configure, DownloadClient},
        stack::{self, is_loopback, without_needless_roots},
    },
};

/// The variable that [`ClientBuilder::api_key_from_env`] reads.
const API_KEY_VARIABLE: &str = "IDEOGRAM_API_KEY";
/// The variable that [`ClientBuilder::base_url_from_env`] reads.
const BASE_URL_VARIABLE: &str = "IDEOGRAM_BASE_URL";
/// Long enough for a slow network, short enough to notice a dead one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The service's limit for an organization, unless agreed otherwise.
const DEFAULT_MAX_IMAGES_IN_FLIGHT: u32 = 10;
/// Concurrent attempts of calls that make no image. Each opens a connection and files, and systems allow a process 256
/// open files or more.
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

/// Reads the address of the service from an environment.
fn base_url_from(variable: impl FnOnce(&str) -> Option<OsString>) -> Option<String> {
    let value = variable(BASE_URL_VARIABLE)?;
    Some(value.to_string_lossy().trim().to_owned()).filter(|url| !url.is_empty())
}

/// Builds a [`Client`].
#[must_use = "a builder does nothing until `build()` is called"]
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
    Own(Option<ConfigureOnce>),
    Custom(reqwest::Client),
    /// Both were set, and one of them would be ignored.
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
            http: Http::Own(None),
            links: None,
        }
    }

    /// Sets the key that every call carries. Required, except with [`ClientBuilder::without_api_key`].
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

    /// Builds a client that saves images from links and prepares requests, which needs no key. A call fails with
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) before it is sent, unless its operation
    /// [needs no key](crate::operation::Operation::needs_key), such as `get_webhook_signing_jwks`.
    pub fn without_api_key(mut self) -> Self {
        self.api_key = Some(Ok(ApiKey::none()));
        self
    }

    /// Sets another address than the service's own, such as a mock server or a gateway. A path in it comes before the
    /// paths of operations.
    ///
    /// Plain `http` is refused unless the host is this machine: the key would be sent unencrypted.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets the address to that in the environment variable `IDEOGRAM_BASE_URL`, if it is set and not empty.
    pub fn base_url_from_env(mut self) -> Self {
        self.base_url = base_url_from(|name| env::var_os(name)).or(self.base_url);
        self
    }

    /// Allows plain `http` to any host. The key is then sent unencrypted.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Anywhere;
        self
    }

    /// Sets how long connecting may take: 10 seconds by default. Nothing of the request has been sent then.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how many images may be in flight, for the client and all its clones: 10 by default, the service's limit for
    /// an organization. A call waits until there are permits for all of its images; a call for more images than this
    /// takes all permits. If the service reports a lower limit, the client adopts it, and raises it by one for each
    /// minute without another 429.
    pub fn max_images_in_flight(mut self, images: u32) -> Self {
        self.max_images_in_flight = images;
        self
    }

    /// Sets the options of all calls; [`Client::with`] overrides them for some. Calling it again adds to the options
    /// set before.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.settings = self.settings.with(options);
        self
    }

    /// Sets whether requests are checked against the document before they are sent.
    pub fn validation(self, validation: Validation) -> Self {
        self.options(CallOptions::new().validation(validation))
    }

    /// Configures the HTTP stack for calls: proxies, certificate authorities, local addresses. Redirects and the stack's
    /// own retries stay off. Calling it again adds to the earlier configuration.
    pub fn configure_http(
        mut self,
        configure: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.http = match self.http {
            Http::Own(Some(earlier)) => Http::Own(Some(Box::new(move |builder| configure(earlier(builder))))),
            Http::Own(None) => Http::Own(Some(Box::new(configure))),
            Http::Custom(_) | Http::Both => Http::Both,
        };
        self
    }

    /// Configures the HTTP stack that downloads images: proxies, certificate authorities. It is separate because links
    /// lead to other hosts: they receive what is set here, default headers included, and nothing that
    /// [`ClientBuilder::configure_http`] sets. The stack's own redirects and retries stay off. Calling it again adds to
    /// the earlier configuration.
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

    /// Sends calls and downloads through a proxy. For another proxy for each, see [`ClientBuilder::configure_http`] and
    /// [`ClientBuilder::configure_downloads`].
    ///
    /// ```
    /// use ideogram_client::{Client, reqwest::Proxy};
    ///
    /// let client = Client::builder().api_key("key").proxy(Proxy::all("http://proxy.example:3128")?).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn proxy(self, proxy: reqwest::Proxy) -> Self {
        let for_downloads = proxy.clone();
        self.configure_http(move |http| http.proxy(proxy))
            .configure_downloads(move |http| http.proxy(for_downloads.clone()))
    }

    /// Sends calls with an HTTP client of your own, at your own risk: it decides whether redirects are followed (with the
    /// key, and with a paid request sent twice), whether requests are retried, and how long connecting may take.
    /// Downloads still use the stack of [`ClientBuilder::configure_downloads`].
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = match self.http {
            Http::Own(None) | Http::Custom(_) => Http::Custom(client),
            Http::Own(Some(_)) | Http::Both => Http::Both,
        };
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the key or the address is not valid, or the
    /// HTTP stack refuses its configuration;
    /// [`ErrorKind::Transport`](crate::ErrorKind::Transport) if the address needs https and this system has no
    /// certificate authorities.
    pub fn build(self) -> Result<Client, Error> {
        let api_key = self.api_key.unwrap_or_else(|| Err(Error::invalid_argument("no API key is set".to_owned())))?;
        let base_url = checked_base_url(self.base_url.as_deref().unwrap_or(operations::SERVER_URL), self.plain_http)?;
        let http = match self.http {
            Http::Custom(client) => client,
            Http::Both => {
                let message =
                    "`configure_http` and `proxy` adjust the client's own HTTP stack, and `http_client` replaces it";
                return Err(Error::invalid_argument(message.to_owned()));
            }
            Http::Own(configure) => {
                stack::check_provider()?;
                let mut builder = without_needless_roots(stack::builder(self.connect_timeout), &base_url);
                // A proxy of the environment must not receive requests to this machine, key included.
                if is_loopback(&base_url) {
                    builder = builder.no_proxy();
                }
                stack::build(match configure {
                    Some(configure) => configure(builder),
                    None => builder,
                })?
            }
        };
        self.settings.check()?;
        if self.max_images_in_flight == 0 {
            return Err(Error::invalid_argument("`max_images_in_flight(0)` allows no image: use 1 or more".to_owned()));
        }
        let inner = Inner {
            http,
            api_key,
            base_url: Arc::new(base_url),
            links: DownloadClient::new(self.connect_timeout, self.links),
            limiter: ImageLimiter::new(self.max_images_in_flight),
            attempts: Arc::new(Semaphore::new(MAX_FREE_ATTEMPTS)),
            #[cfg(feature = "blocking")]
            blocking: super::blocking::Blocking::default(),
        };
        Ok(Client { inner: Arc::new(inner), settings: Arc::new(self.settings) })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An invalid address may hold a key by mistake.
        let base_url = self.base_url.as_deref().map(|url| match checked_base_url(url, PlainHttp::Anywhere) {
            Ok(url) => url.to_string(),
            Err(_) => "(not valid)".to_owned(),
        });
        formatter.debug_struct("ClientBuilder").field("base_url", &base_url).finish_non_exhaustive()
    }
}

fn checked_base_url(text: &str, plain_http: PlainHttp) -> Result<Url, Error> {
    let refused = |reason: &str| Error::invalid_argument(format!("the base URL {reason}"));
    // An invalid address may hold a key by mistake, so the message does not contain it.
    let url = Url::parse(text).map_err(|error| refused(&format!("is not valid: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("must not have a query or fragment"));
    }
    match url.scheme() {
        "https" | "http" if !has_valid_host(&url) => Err(refused("has a host name that is not valid")),
        "https" => Ok(url),
        "http" if plain_http == PlainHttp::Anywhere || is_loopback(&url) => Ok(url),
        "http" => Err(refused(
            "is plain http to another machine, and the key would be sent unencrypted: use https, or allow plain http",
        )),
        other => Err(refused(&format!("has the scheme `{other}`; use https"))),
    }
}

/// Returns whether a resolver can look up the host: no label is empty, and neither a label nor the name is too long.
fn has_valid_host(url: &Url) -> bool {
    let Some(name) = url.domain() else { return true };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_environment_is_used_unless_it_is_empty() {
        let read = |value: Option<&str>| {
            base_url_from(|name| {
                assert_eq!(name, "IDEOGRAM_BASE_URL");
                value.map(OsString::from)
            })
        };

        assert_eq!(read(Some(" http://127.0.0.1:4010\n")).as_deref(), Some("http://127.0.0.1:4010"));
        assert_eq!((read(Some(" ")), read(None)), (None, None));
    }

    #[test]
    fn a_key_is_read_from_the_environment() {
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
    fn plain_http_is_for_loopback_unless_requested() {
        for url in ["http://127.0.0.1:80", "http://localhost:8080/", "http://[::1]:1", "https://example.test/prefix"] {
            assert!(build(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.test",
            "http://127.0.0.1.example.test",
            "ftp://localhost",
            "http://10.0.0.1",
            "https://user:hunter2@example.test",
            "localhost",
            "https://a..test",
            "https://.test",
        ] {
            assert!(build(url).is_err(), "{url}");
        }
        assert!(Client::builder().api_key("secret").base_url("http://example.test").allow_plain_http().build().is_ok());
    }

    #[test]
    fn an_invalid_host_name_is_refused() {
        let long = "a".repeat(64);
        for host in [format!("{long}.test"), format!("{}test", "a.".repeat(130))] {
            assert!(build(&format!("https://{host}")).is_err(), "{host}");
        }
        assert!(build(&format!("https://{}.test./", &long[1..])).is_ok());
    }

    #[test]
    fn a_client_shows_its_address_and_not_its_key() {
        assert_eq!(
            format!("{:?}", build("https://example.test").unwrap()),
            r#"Client { base_url: "https://example.test/", api_key: ApiKey(..), .. }"#
        );
    }
}
