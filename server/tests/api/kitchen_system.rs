//! A kitchen system for a test: the simulator, on a socket of its own.

use domain::backoff::Backoff;
use domain::breaker::Patience;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use server::config::Erp;
use server::sim::erp::{Cooked, Script, Simulator};
use server::workers::outbox::Pace;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// A kitchen that opens when the test says so. Its address is its own before: who calls then is refused.
pub struct Kitchen {
    pub simulator: Arc<Simulator>,
    address: SocketAddr,
    door: Mutex<Option<TcpSocket>>,
    closing: CancellationToken,
}

impl Kitchen {
    pub fn closed() -> Self {
        let door = TcpSocket::new_v4().unwrap();
        door.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let simulator = Arc::new(Simulator::open(Script::default(), 7, None).unwrap());
        Self { simulator, address: door.local_addr().unwrap(), door: Mutex::new(Some(door)), closing: CancellationToken::new() }
    }

    pub fn open(script: Script) -> Self {
        let kitchen = Self::closed();
        kitchen.simulator.follow(script);
        kitchen.begin();
        kitchen
    }

    pub fn begin(&self) {
        let listener = self.door.lock().unwrap().take().unwrap().listen(64).unwrap();
        tokio::spawn(Arc::clone(&self.simulator).serve(listener, self.closing.clone()));
    }

    /// As `ERP_URL` would name it; a first answer is waited for longer than any test takes to give it.
    pub fn erp(&self) -> Erp {
        Erp {
            orders: format!("http://{}/orders", self.address).parse().unwrap(),
            wait: Duration::from_secs(3),
            with_drinks: false,
            ca_file: None,
            pace: hurried(),
        }
    }

    pub fn cooked(&self) -> Vec<Cooked> {
        self.simulator.cooked()
    }
}

/// A kitchen system behind TLS, whose certificate an authority of its own signs. What comes through is handed to the simulator as it is.
pub struct TlsKitchen {
    pub kitchen: Kitchen,
    /// The authority, as `ERP_CA_FILE` would name it.
    pub ca_file: tempfile::NamedTempFile,
    port: u16,
}

impl TlsKitchen {
    pub async fn open() -> Self {
        let kitchen = Kitchen::open(Script::default());
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_certificate = authority.self_signed(&authority_key).unwrap();
        let ca_file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca_file.path(), authority_certificate.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();

        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (plain, closing) = (kitchen.address, kitchen.closing.clone());
        tokio::spawn(closing.run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not trust us hangs up here.
                    let Ok(mut secret) = acceptor.accept(stream).await else { return };
                    let mut plain = TcpStream::connect(plain).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut secret, &mut plain).await;
                });
            }
        }));
        Self { kitchen, ca_file, port }
    }

    /// As the environment would name it, by a name that its certificate holds or by another.
    pub fn erp(&self, name: &str, trusted: bool) -> Erp {
        Erp {
            orders: format!("https://{name}:{}/orders", self.port).parse().unwrap(),
            ca_file: trusted.then(|| self.ca_file.path().to_owned()),
            ..self.kitchen.erp()
        }
    }
}

impl Drop for Kitchen {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

/// The contract's behaviour at twenty times its speed.
pub fn hurried() -> Pace {
    Pace {
        timeout: Duration::from_millis(500),
        backoff: Backoff { first: Duration::from_millis(20), longest: Duration::from_millis(100), jitter: 0 },
        patience: Patience { failures: 5, pause: Duration::from_millis(300) },
        look_every: Duration::from_millis(10),
    }
}
