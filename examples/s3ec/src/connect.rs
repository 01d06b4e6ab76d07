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

/// A client of S3 at an endpoint. Buckets stand in the path, as not every endpoint has names for them.
pub(crate) fn s3(endpoint: &str) -> Result<Client> {
    let tls = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region()?))
        .credentials_provider(credentials()?)
        .endpoint_url(endpoint)
        .force_path_style(true)
        .http_client(tls.build_https());
    Ok(Client::from_conf(config.build()))
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
