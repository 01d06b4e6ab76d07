//! The SDK's client, set up so that a call ends in time and is made once.

use std::{net::IpAddr, time::Duration};

use aws_sdk_kms::{
    Client, Config,
    config::{
        BehaviorVersion, ProvideCredentials, Region, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use http::Uri;

use crate::{Error, Result};

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect: one second by default.
    pub connect: Duration,
    /// The whole call, with its connection, its answer, and the credentials if they have to be
    /// fetched: two seconds by default.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(1), attempt: Duration::from_secs(2) }
    }
}

/// A client over rustls with AWS-LC.
pub(crate) fn connect(
    region: &str,
    endpoint: Option<&str>,
    credentials: impl ProvideCredentials + 'static,
) -> Result<Client> {
    if !is_region(region) {
        return Err(Error::Region(region.to_owned()));
    }
    if endpoint.is_some_and(|endpoint| !is_private(endpoint)) {
        return Err(Error::Endpoint);
    }
    let tls = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .http_client(tls.build_https());
    config.set_endpoint_url(endpoint.map(str::to_owned));
    Ok(Client::from_conf(config.build()))
}

/// The same client, but that it tries once and gives up in time.
pub(crate) fn bounded(client: &Client, timeouts: Timeouts) -> Client {
    // What runs outside of attempts, in the SDK or a caller's interceptors, is bounded as well.
    let bounds = TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .operation_attempt_timeout(timeouts.attempt)
        .operation_timeout(timeouts.attempt);
    let config = client.config().to_builder().retry_config(RetryConfig::disabled());
    Client::from_conf(config.timeout_config(bounds.build()).build())
}

/// It becomes a part of the host's name.
pub(crate) fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether nobody else reads what is sent there.
fn is_private(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    match uri.scheme_str() {
        _ if host.is_empty() || user => false,
        Some("https") => true,
        Some("http") => {
            host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_without_tls_is_refused_but_on_this_machine() {
        let fine = [
            "https://kms.eu-central-1.amazonaws.com",
            "https://vpce-1.kms.eu-central-1.vpce.amazonaws.com:8443",
            "http://127.0.0.1:4566",
            "http://localhost:4566",
            "http://[::1]:4566",
        ];
        let refused = [
            "http://kms.eu-central-1.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://localhost@example.com",
            "https://user:word@example.com",
            "ftp://127.0.0.1",
            "127.0.0.1:4566",
            "https://",
            "",
        ];
        assert!(fine.iter().all(|endpoint| is_private(endpoint)));
        for endpoint in refused {
            assert!(!is_private(endpoint), "{endpoint}");
        }
    }

    #[test]
    fn a_region_cannot_lead_to_another_host() {
        for region in ["eu-central-1", "us-gov-west-1"] {
            assert!(is_region(region));
        }
        for region in ["", "example.com", "eu/central", "eu central", "eu\n", "x@y", "é"] {
            assert!(!is_region(region), "{region:?}");
        }
    }
}
