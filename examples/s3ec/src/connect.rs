//! Clients of the SDK, by the usual variables.

use std::env;

use aws_credential_types::Credentials;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use object_cipher_client_aws::aws_sdk_s3::{
    Client, Config,
    config::{BehaviorVersion, Region},
};

use crate::Result;

/// A client of S3, at an endpoint if there is one. Buckets then stand in the path, as not every endpoint has
/// names for them.
pub(crate) fn s3(endpoint: Option<&str>) -> Result<Client> {
    let endpoint = endpoint_of(endpoint, "AWS_ENDPOINT_URL_S3");
    let tls = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region()?))
        .credentials_provider(credentials()?)
        .force_path_style(endpoint.is_some())
        .http_client(tls.build_https());
    config.set_endpoint_url(endpoint);
    Ok(Client::from_conf(config.build()))
}

/// Where a service is: as was said, or as the variables say that the SDKs share; none for the region's own.
pub(crate) fn endpoint_of(said: Option<&str>, variable: &str) -> Option<String> {
    let of = |name| env::var(name).ok().filter(|url| !url.is_empty());
    let ignored = of("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|ignored| ignored.eq_ignore_ascii_case("true"));
    let configured = || of(variable).or_else(|| of("AWS_ENDPOINT_URL")).filter(|_| !ignored);
    said.map(str::to_owned).or_else(configured)
}

pub(crate) fn region() -> Result<String> {
    let region = env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION"));
    Ok(region.map_err(|_| "neither AWS_REGION nor AWS_DEFAULT_REGION is set")?)
}

pub(crate) fn credentials() -> Result<Credentials> {
    let need = |name| env::var(name).map_err(|_| format!("{name} is not set"));
    let (id, secret) = (need("AWS_ACCESS_KEY_ID")?, need("AWS_SECRET_ACCESS_KEY")?);
    Ok(Credentials::new(id, secret, env::var("AWS_SESSION_TOKEN").ok(), None, "environment"))
}
