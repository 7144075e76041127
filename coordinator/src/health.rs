//! `/livez`, `/readyz` and `/metrics` on a loopback listener.

use crate::metrics::Metrics;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Listens.
///
/// # Errors
/// Where the address is in use.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let advice = || format!("cannot listen on {address}: set another `health` in config.toml");
    TcpListener::bind(address).await.with_context(advice)
}

/// Serves until the process ends.
///
/// # Errors
/// Where the listener breaks.
pub async fn serve(listener: TcpListener, metrics: Metrics) -> Result<()> {
    let ready = metrics.clone();
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(readiness(&ready))))
        .route("/metrics", get(move || std::future::ready(figures(&metrics))));
    axum::serve(listener, router).await.context("health listener")
}

fn readiness(metrics: &Metrics) -> (StatusCode, &'static str) {
    if metrics.ready.get() == 1 {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready: the disk is full, or recovery goes on\n")
    }
}

fn figures(metrics: &Metrics) -> impl IntoResponse + use<> {
    const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match metrics.text() {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, TYPE)], text),
        Err(error) => {
            let plain = "text/plain; charset=utf-8";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            (status, [(header::CONTENT_TYPE, plain)], error.to_string())
        }
    }
}
