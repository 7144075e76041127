//! The only way from a name to an address.
//!
//! Decides which addresses a connection may go to: every answer and every canonical name goes past the guard, and the
//! connection gets what the guard let through and nothing else. There is one lookup a connection, so what was checked
//! is what is dialled (no rebinding). Never sees a literal address: the HTTP client dials those without a lookup, and
//! the guard judges them as URLs.

use super::current;
use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name as DnsName, RData};
use hickory_resolver::{ConnectionProvider, ResolverBuilder, TokioResolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use sward_agent_core::guard::{Guard, Refusal};
use sward_proto::canonical_url::CanonicalUrl;

tokio::task_local! {
    /// What the running request asks for. The client's resolver is told a name only, and the guard judges the port too.
    static TARGET: CanonicalUrl;
}

/// Runs a request, which may look up the host of `url` and no other name.
pub(super) async fn asking<F: Future>(url: &CanonicalUrl, request: F) -> F::Output {
    TARGET.scope(url.clone(), request).await
}

/// Why there is no address to dial.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// The guard forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No answer.
    #[error("name {name} does not resolve: {cause}")]
    Unresolved { name: String, cause: String },
    /// A lookup that no request stands behind.
    #[error("name {0} is not looked up, no request asks for it")]
    Unasked(String),
}

/// Looks names up and lets the guard judge the answers.
#[derive(Clone)]
pub(super) struct GuardedResolver(Arc<Inner>);

struct Inner {
    names: BTreeMap<String, Vec<IpAddr>>,
    guard: Arc<RwLock<Guard>>,
    /// Made from the system's settings when first needed, and again after it failed: a laptop changes networks.
    system: Mutex<Option<TokioResolver>>,
}

#[derive(Debug, Default)]
struct Answers {
    addresses: Vec<IpAddr>,
    canonical_names: Vec<String>,
}

impl GuardedResolver {
    pub(super) fn new(names: BTreeMap<String, Vec<IpAddr>>, guard: Arc<RwLock<Guard>>) -> Self {
        Self(Arc::new(Inner { names, guard, system: Mutex::new(None) }))
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let target = TARGET.try_with(CanonicalUrl::clone).ok();
        let target = target.filter(|url| url.host().as_str() == name.as_str());
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let url = target.ok_or_else(|| ResolveError::Unasked(name.as_str().to_owned()))?;
            let port = url.port();
            let addresses = inner.checked(&url).await?.into_iter();
            Ok(Box::new(addresses.map(move |address| SocketAddr::new(address, port))) as Addrs)
        })
    }
}

impl Inner {
    async fn checked(&self, url: &CanonicalUrl) -> Result<Vec<IpAddr>, ResolveError> {
        let host = url.host();
        let answers = match self.names.get(host.as_str()) {
            Some(addresses) => Answers { addresses: addresses.clone(), ..Answers::default() },
            None => self.look_up(host.as_str()).await?,
        };
        let names: Vec<&str> = answers.canonical_names.iter().map(String::as_str).collect();
        let guard = current(&self.guard);
        guard.check_canonical_names(&names)?;
        Ok(guard.check_answers(url, &answers.addresses)?)
    }

    async fn look_up(&self, host: &str) -> Result<Answers, ResolveError> {
        let unresolved = |cause: String| ResolveError::Unresolved { name: host.to_owned(), cause };
        let mut name = DnsName::from_ascii(host).map_err(|error| unresolved(error.to_string()))?;
        // Without the final dot, the machine's search list could turn a public name into one of its own network.
        name.set_fqdn(true);
        let resolver = self.system().map_err(|error| unresolved(error.to_string()))?;
        match resolver.lookup_ip(name).await {
            Ok(lookup) => {
                let mut answers = Answers::default();
                for record in lookup.as_lookup().answers() {
                    answers.addresses.extend(record.data.ip_addr());
                    if let RData::CNAME(target) = &record.data {
                        answers.canonical_names.push(target.0.to_ascii());
                    }
                }
                Ok(answers)
            }
            Err(error) => {
                if !error.is_no_records_found() {
                    *self.system.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                Err(unresolved(error.to_string()))
            }
        }
    }

    fn system(&self) -> Result<TokioResolver, NetError> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resolver) = &*system {
            return Ok(resolver.clone());
        }
        let builder = with_our_options(TokioResolver::builder_tokio()?);
        Ok(system.insert(builder.build()?).clone())
    }
}

/// The guard needs the canonical names, and both families of addresses: one bad answer condemns the name.
fn with_our_options<P: ConnectionProvider>(mut builder: ResolverBuilder<P>) -> ResolverBuilder<P> {
    let options = builder.options_mut();
    options.preserve_intermediates = true;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::proto::op::{Message, MessageType};
    use hickory_resolver::proto::rr::rdata::{A, CNAME};
    use hickory_resolver::proto::rr::{Record, RecordType};
    use sward_agent_core::guard::GuardConfig;
    use sward_proto::address::NameKind;
    use tokio::net::UdpSocket;

    /// Answers questions for A of the first record's name with `answers`, and all others with nothing.
    async fn name_server(answers: Vec<Record>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("bound");
        tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                let mut message =
                    Message::from_vec(packet.get(..length).unwrap_or_default()).expect("a query");
                message.metadata.message_type = MessageType::Response;
                let known =
                    |name: &DnsName| answers.first().is_some_and(|first| first.name == *name);
                let mut queries = message.queries.iter();
                if queries.any(|query| query.query_type() == RecordType::A && known(query.name())) {
                    message.add_answers(answers.clone());
                }
                let reply = message.to_vec().expect("a message");
                let _ = socket.send_to(&reply, from).await;
            }
        });
        address
    }

    async fn checked(answers: Vec<Record>, url: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let server = name_server(answers).await;
        let mut connection = ConnectionConfig::udp();
        connection.port = server.port();
        let server = NameServerConfig::new(server.ip(), true, vec![connection]);
        let mut config = ResolverConfig::from_name_servers(vec![server]);
        config.add_search(name("corp.example."));
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, provider);
        let guard = Arc::new(RwLock::new(Guard::new(GuardConfig::default())));
        let resolver = GuardedResolver::new(BTreeMap::new(), guard);
        let system = with_our_options(builder).build().expect("a resolver");
        *resolver.0.system.lock().expect("not poisoned") = Some(system);
        let url: CanonicalUrl = url.parse().expect("a url");
        let asked: Name = "www.a.example".parse().expect("a name");
        let addresses = asking(&url, async { resolver.resolve(asked).await }).await;
        let addresses = addresses.map_err(|error| *error.downcast::<ResolveError>().expect("ours"));
        Ok(addresses?.map(|address| address.ip()).collect())
    }

    fn name(text: &str) -> DnsName {
        DnsName::from_ascii(text).expect("a name")
    }

    fn address(owner: &str, text: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::A(A(text.parse().expect("an address"))))
    }

    fn alias(owner: &str, target: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))))
    }

    #[tokio::test]
    async fn all_answers_of_dns_are_checked() {
        const URL: &str = "http://www.a.example/";
        let public = || address("www.a.example.", "93.184.216.34");
        let found = checked(vec![public()], URL).await.expect("public");
        assert_eq!(found, ["93.184.216.34".parse::<IpAddr>().expect("an address")]);
        let mixed = checked(vec![public(), address("www.a.example.", "10.0.0.1")], URL).await;
        let refused = matches!(&mixed, Err(ResolveError::Refused(Refusal::Address(ip, _)))
            if ip.to_string() == "10.0.0.1");
        assert!(refused, "{mixed:?}");
    }

    #[tokio::test]
    async fn the_search_list_of_the_machine_is_not_used() {
        let inside = address("www.a.example.corp.example.", "93.184.216.34");
        let none = checked(vec![inside], "http://www.a.example/").await;
        assert!(matches!(none, Err(ResolveError::Unresolved { .. })), "{none:?}");
    }

    #[tokio::test]
    async fn canonical_names_of_dns_are_checked() {
        const URL: &str = "http://www.a.example/";
        let through =
            |middle: &str| vec![alias("www.a.example.", middle), address(middle, "93.184.216.34")];
        assert!(checked(through("cdn.b.example."), URL).await.is_ok());
        let local = checked(through("printer.local."), URL).await;
        let kind = NameKind::LocalSuffix;
        let refused =
            matches!(&local, Err(ResolveError::Refused(Refusal::Name(_, found))) if *found == kind);
        assert!(refused, "{local:?}");
    }

    #[tokio::test]
    async fn a_name_that_no_request_asks_for_is_not_looked_up() {
        let other = checked(Vec::new(), "http://b.example/").await;
        assert!(matches!(other, Err(ResolveError::Unasked(_))), "{other:?}");
    }
}
