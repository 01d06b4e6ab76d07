//! Setting up a client: [`VaultBuilder`].

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::{
    Error, Login, Result, VaultKms,
    client::Client,
    path::{Mount, checked},
    session::Session,
};

/// Servers close what is idle for longer; this is well below any.
const IDLE: Duration = Duration::from_secs(60);

/// Where a Transit engine is, and how to reach it.
#[derive(Debug)]
#[must_use]
pub struct VaultBuilder {
    address: String,
    login: Login,
    mount: String,
    namespace: Option<String>,
    roots: Option<Vec<u8>>,
    connect_timeout: Duration,
    attempt_timeout: Duration,
}

impl VaultBuilder {
    pub(crate) fn new(address: String, login: Login) -> Self {
        Self {
            address,
            login,
            mount: "transit".to_owned(),
            namespace: None,
            roots: None,
            connect_timeout: Duration::from_secs(1),
            attempt_timeout: Duration::from_secs(2),
        }
    }

    /// Where the engine is mounted. `transit` if nothing is said.
    pub fn mount(mut self, path: impl Into<String>) -> Self {
        self.mount = path.into();
        self
    }

    /// The namespace of engine and login.
    pub fn namespace(mut self, path: impl Into<String>) -> Self {
        self.namespace = Some(path.into());
        self
    }

    /// The certificates, in PEM, that the server's is judged by. No others are.
    pub fn roots_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// How long a connection may take. One second if nothing is said.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a request may take, connection and all. Two seconds if nothing is said.
    ///
    /// A call makes one request; it makes more when it has to log in, and when it is the first to
    /// use a key.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The client. It connects when it is first asked for something.
    ///
    /// # Errors
    /// [`Error`]: an address that is none, plain http to another machine, https without roots, roots
    /// that are no certificates, and paths that are none.
    pub fn build(self) -> Result<VaultKms> {
        let (origin, is_tls) = origin(&self.address)?;
        let namespace = self.namespace.as_deref().map(checked).transpose()?;
        let roots = roots(self.roots.as_deref())?;
        if is_tls && roots.is_empty() {
            return Err(Error::RootsMissing);
        }
        let client = Client {
            http: http_client(roots, self.connect_timeout, is_tls)?,
            origin,
            namespace: namespace.as_deref().map(header).transpose()?,
            attempt_timeout: self.attempt_timeout,
        };
        Ok(VaultKms {
            mount: Mount::new(&self.mount)?,
            session: Session::new(client, self.login.checked()?),
            checked: std::sync::Mutex::default(),
        })
    }
}

/// Scheme, host and port of an address that has nothing else, and whether it is of https.
fn origin(address: &str) -> Result<(String, bool)> {
    let uri: Uri = address.parse().map_err(|_| Error::Address)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(Error::Address);
    };
    let is_bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
    if !is_bare || authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(Error::Address);
    }
    let is_tls = match scheme {
        "https" => true,
        "http" if is_loopback(authority.host()) => false,
        "http" => return Err(Error::PlainHttp),
        _ => return Err(Error::Address),
    };
    Ok((format!("{scheme}://{authority}"), is_tls))
}

/// A name may lead anywhere, so it has to be an address.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn roots(pem: Option<&[u8]>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(pem) = pem else {
        return Ok(roots);
    };
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| Error::Roots)?;
        roots.add(certificate).map_err(|_| Error::Roots)?;
    }
    if roots.is_empty() { Err(Error::Roots) } else { Ok(roots) }
}

fn http_client(
    roots: RootCertStore,
    connect_timeout: Duration,
    is_tls: bool,
) -> Result<legacy::Client<HttpsConnector<HttpConnector>, http_body_util::Full<bytes::Bytes>>> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(Box::new(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect_timeout));
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    let builder = if is_tls { builder.https_only() } else { builder.https_or_http() };
    Ok(legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(builder.enable_http1().wrap_connector(connector)))
}

fn header(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| Error::Path(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(address: &str) -> Result<VaultKms> {
        VaultKms::builder(address, Login::app_role("role", "hidden")).build()
    }

    #[test]
    fn plain_http_is_for_loopback_addresses_only() {
        for address in ["http://127.0.0.1:8200", "http://[::1]:8200/", "http://127.9.9.9"] {
            assert!(built(address).is_ok(), "{address}");
        }
        for address in ["http://10.0.0.1:8200", "http://vault.example", "http://localhost:8200"] {
            assert!(matches!(built(address), Err(Error::PlainHttp)), "{address}");
        }
    }

    #[test]
    fn an_address_is_scheme_host_and_port() {
        let rows = [
            "",
            "vault.example:8200",
            "ftp://127.0.0.1",
            "https://user:password@vault.example",
            "http://10.0.0.1@127.0.0.1",
            "https://vault.example/ui",
            "https://vault.example?x",
        ];
        for address in rows {
            assert!(matches!(built(address), Err(Error::Address)), "{address}");
        }
    }

    #[test]
    fn https_needs_roots_that_are_certificates() {
        let address = "https://vault.example:8200";
        assert!(matches!(built(address), Err(Error::RootsMissing)));
        for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            let builder = VaultKms::builder(address, Login::app_role("role", "hidden"));
            assert!(matches!(builder.roots_pem(pem).build(), Err(Error::Roots)), "{pem:?}");
        }
    }

    #[test]
    fn s6_paths_that_lead_elsewhere_are_refused() {
        let login = |mount: &str| Login::AppRole {
            mount: mount.to_owned(),
            role_id: "role".to_owned(),
            secret_id: "hidden".to_owned().into(),
        };
        let start = |mount: &str| VaultKms::builder("http://127.0.0.1:8200", login(mount));
        assert!(matches!(start("../sys").build(), Err(Error::Path(_))));
        assert!(matches!(start("approle").mount("a/../b").build(), Err(Error::Path(_))));
        assert!(matches!(start("approle").namespace("a\r\nb: c").build(), Err(Error::Path(_))));
        assert!(start("/team/approle/").mount("a/b").namespace("team/").build().is_ok());
    }

    #[test]
    fn secrets_are_not_shown() {
        let builder = VaultKms::builder("http://127.0.0.1", Login::app_role("role", "hidden"));
        assert!(!format!("{builder:?}").contains("hidden"));
        let token = Login::Token("hidden".to_owned().into());
        assert!(!format!("{token:?} {:?}", builder.build()).contains("hidden"));
    }
}
