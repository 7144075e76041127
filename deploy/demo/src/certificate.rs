//! A certificate authority and a server certificate, made at each run and trusted by the demo's agents alone.

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// What a TLS server and its visitors need.
pub(crate) struct Certificate {
    /// The authority, in PEM.
    pub(crate) authority: String,
    /// The server's side.
    pub(crate) server: Arc<rustls::ServerConfig>,
}

/// Makes both for one host name.
pub(crate) fn make(host: &str) -> Result<Certificate> {
    let authority_key = KeyPair::generate().context("key")?;
    let mut params = CertificateParams::new(Vec::new()).context("certificate")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).context("certificate")?;
    let issuer = Issuer::new(params, authority_key);
    let server_key = KeyPair::generate().context("key")?;
    let server = CertificateParams::new(vec![host.to_owned()])
        .and_then(|params| params.signed_by(&server_key, &issuer))
        .context("certificate")?;
    let chain = vec![CertificateDer::from(server.der().to_vec())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("server certificate")?;
    Ok(Certificate { authority: authority.pem(), server: Arc::new(server) })
}
