//! A whole server per test: its own database in a real PostgreSQL, its own port, real HTTP.

use crate::conforming;
use crate::folder::folder;
use serde_json::Value;
use server::adapters::signer::Signer;
use server::cluster::{Cluster, Durability};
use server::config::{Config, Erp, Terminal};
use server::http::ws::Stopping;
use server::listening;
use server::router::router;
use server::state::Shared;
use server::{db, run};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The database server that all tests of this run share.
struct Shelter {
    options: PgConnectOptions,
    _runtime: Runtime,
    folder: std::path::PathBuf,
}

/// The template that every test's database is copied from: migrated, with the demo restaurant.
const TEMPLATE: &str = "demo_template";

static SHELTER: LazyLock<Shelter> = LazyLock::new(|| {
    std::thread::spawn(|| {
        // What it holds goes with the cluster.
        let folder = folder().keep();
        let runtime = Runtime::new().unwrap();
        let data = folder.clone();
        let options = runtime.block_on(async move {
            let cluster = Cluster::start(&data, Durability::Throwaway).await.unwrap();
            let options = cluster.connect_options();
            let mut admin = PgConnection::connect_with(&options).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {TEMPLATE}"))).execute(&mut admin).await.unwrap();
            let template = options.clone().database(TEMPLATE);
            db::migrate(&template).await.unwrap();
            let pool = db::connect(template, 1).await.unwrap();
            assert!(run::load_demo(&pool).await.unwrap());
            pool.close().await;
            // A throwaway cluster ends with this process.
            std::mem::forget(cluster);
            options
        });
        Shelter { options, _runtime: runtime, folder }
    })
    .join()
    .unwrap()
});

/// A running server.
pub struct TestApp {
    pub address: String,
    pub house: Shared,
    /// To open the same house once more.
    pub config: Config,
    /// Connections of the database's owner, for tests that attack it.
    pub owner: PgPool,
    stopping: CancellationToken,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl TestApp {
    /// With tickets that count.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// On the training chain.
    pub async fn in_training() -> Self {
        Self::with(|config| config.training = true).await
    }

    /// With sessions in Redis.
    pub async fn with_redis(url: &str) -> Self {
        Self::with(|config| config.redis = Some(url.parse().unwrap())).await
    }

    /// With this card terminal.
    pub async fn with_terminal(terminal: Terminal) -> Self {
        Self::with(|config| config.terminal = terminal).await
    }

    /// With a printer at this address.
    pub async fn with_printer(url: &str) -> Self {
        let printer = server::config::Printer::parse(url).unwrap();
        Self::with(|config| config.printer = Some(printer)).await
    }

    /// With a kitchen system, which is told.
    pub async fn with_kitchen(erp: Erp) -> Self {
        let app = Self::with_idle_kitchen(erp).await;
        app.tell_kitchen();
        app
    }

    /// From now on the kitchen system is told.
    pub fn tell_kitchen(&self) {
        tokio::spawn(run::tell_kitchen(self.house.clone(), self.stopping.clone()));
    }

    /// With a kitchen system that is told when the test takes a step.
    pub async fn with_idle_kitchen(erp: Erp) -> Self {
        Self::with(|config| config.erp = Some(erp)).await
    }

    /// Another process on the same database, with or without the kitchen system.
    pub async fn another_process(&self, erp: Option<Erp>) -> Shared {
        let house = run::open_house(&Config { erp, ..self.config.clone() }, self.house.db.clone()).await.unwrap();
        tokio::spawn(run::tell_kitchen(house.clone(), self.stopping.clone()));
        house
    }

    /// As the test wants it.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let shelter = &*SHELTER;
        // What a failing test's server had to say is shown with it.
        let _ = tracing_subscriber::fmt().with_env_filter("warn").with_test_writer().try_init();
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect_with(&shelter.options).await.unwrap();
        // One copy at a time: PostgreSQL refuses to copy a template that is being copied.
        sqlx::query("select pg_advisory_lock(1)").execute(&mut admin).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {name} template {TEMPLATE}"))).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();

        Self::serve(Self::config(&name, change), shelter.options.clone().database(&name)).await
    }

    /// On a PostgreSQL of the test's own, which it may stop.
    pub async fn on(cluster: &Cluster) -> Self {
        let options = cluster.connect_options();
        db::migrate(&options).await.unwrap();
        let pool = db::connect(options.clone(), 1).await.unwrap();
        assert!(run::load_demo(&pool).await.unwrap());
        pool.close().await;
        let name = format!("own_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self::serve(Self::config(&name, |_| {}), options).await
    }

    fn config(name: &str, change: impl FnOnce(&mut Config)) -> Config {
        let shelter = &*SHELTER;
        let mut config = Config::from_env().unwrap();
        config.training = false;
        config.fiscal_key_file = shelter.folder.join("fiscal-key.pem");
        config.fiscal_anchors = shelter.folder.join(format!("{name}.anchors.jsonl"));
        change(&mut config);
        // Made once for all tests: making a key takes longer than using it.
        Signer::open(&config.fiscal_key_file, true).unwrap();
        config
    }

    /// Another server process of the same house.
    pub async fn another(&self) -> Self {
        Self::serve(self.config.clone(), (*self.owner.connect_options()).clone()).await
    }

    async fn serve(config: Config, options: PgConnectOptions) -> Self {
        // As a real till does: by a login that is nothing else.
        let pool = db::connect(options.clone().username(db::TILL), 8).await.unwrap();
        let house = run::open_house(&config, pool).await.unwrap();
        let stopping = CancellationToken::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = router(house.clone(), house.sessions.clone(), Stopping(stopping.clone()));
        // Until the test ends: what it still asks afterwards is not to be refused by a server that is leaving.
        tokio::spawn(listening::serve(listener, service, listening::Limits::default(), CancellationToken::new()));
        tokio::spawn(server::workers::menu::listen(house.clone(), stopping.clone()));
        server::workers::keep_telling(&house, &stopping).detach_all();
        tokio::spawn(server::workers::printing::tend(house.clone(), stopping.clone()));
        let owner = PgPool::connect_with(options).await.unwrap();
        Self { address, house, owner, config, stopping }
    }

    /// Somebody who has not signed in.
    pub fn stranger(&self) -> Client {
        Client { base: format!("http://{}", self.address), http: reqwest::Client::new(), cookie: None }
    }

    /// Somebody of the demo restaurant, signed in.
    pub async fn signed_in(&self, username: &str) -> Client {
        let mut client = self.stranger();
        let answer = client.post("/api/auth/login", &serde_json::json!({"username": username, "pin": "1234"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.header("set-cookie").unwrap();
        client.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        client
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// A person's or a program's view of the server.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    pub cookie: Option<String>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    /// Null when it is not JSON.
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Client {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.http.post(format!("{}{path}", self.base)).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.http.put(format!("{}{path}", self.base)).json(body)).await
    }

    /// The same person at another process.
    pub fn at(&self, app: &TestApp) -> Self {
        Self { base: format!("http://{}", app.address), ..self.clone() }
    }

    /// A request made by hand.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, mut request: reqwest::RequestBuilder) -> Answer {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let sent = request.body().and_then(reqwest::Body::as_bytes).map(<[u8]>::to_vec);
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
        conforming::check(&method, &path, sent.as_deref(), status, content_type, &text);
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }
}
