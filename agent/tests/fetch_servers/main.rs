//! The fetcher against servers on loopback that are honest, broken or hostile.

mod bodies;
mod redirects;
mod site;
mod tls;
