//! A closed loop of HTTP clients: each sends its next request when it has the answer to the last. Requests are bytes made beforehand, and
//! of an answer only the status and the length are read, so that nearly all of the time is the server's.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is sent.
pub struct Load {
    address: String,
    request: Arc<dyn Fn() -> Vec<u8> + Send + Sync>,
}

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    /// Answers with a status of success.
    pub answered: u64,
    /// Other answers.
    pub refused: u64,
    /// How long each took, sorted, in microseconds.
    latencies: Vec<u32>,
    /// How long all took together.
    took: Duration,
    /// Processor time of the server meanwhile.
    pub cpu: Duration,
    /// Processor time of the load itself meanwhile.
    pub own_cpu: Duration,
}

impl Outcome {
    /// Successes in a second.
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }

    /// Successes in a second of the server's processor time.
    pub fn per_cpu_second(&self) -> f64 {
        self.answered as f64 / self.cpu.as_secs_f64().max(1e-9)
    }

    /// Processor time of the server for each, in microseconds.
    pub fn cpu_us_each(&self) -> f64 {
        1e6 * self.cpu.as_secs_f64() / self.answered.max(1) as f64
    }

    /// How many processors the load itself kept busy.
    pub fn load_processors(&self) -> f64 {
        self.own_cpu.as_secs_f64() / self.took.as_secs_f64()
    }

    /// So many per cent took no longer, in microseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(last * percent / 100).copied().map_or(f64::NAN, f64::from)
    }
}

impl Load {
    /// The same GET again and again.
    pub fn get(address: &str, path: &str, cookie: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\n\r\n").into_bytes();
        Self { address: address.to_owned(), request: Arc::new(move || request.clone()) }
    }

    /// Orders of a dish and a wine for tables drawn by chance, each with an id of its own.
    pub fn orders(address: &str, cookie: &str, tables: u32) -> Self {
        let head = format!("POST /api/orders HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\ncontent-type: application/json\r\n");
        let request = move || {
            let uuid = uuid::Uuid::now_v7();
            // The last bits of the id are random.
            let table = 1000 + (uuid.as_u128() as u32) % tables;
            let body = format!(r#"{{"table_id":{table},"items":[{{"dish_id":12,"qty":1}},{{"wine_id":34,"qty":1}}],"uuid":"{uuid}"}}"#);
            format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        };
        Self { address: address.to_owned(), request: Arc::new(request) }
    }

    /// POSTs with a body made anew each time.
    pub fn posts(address: &str, path: &str, cookie: &str, body: impl Fn() -> String + Send + Sync + 'static) -> Self {
        let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\ncontent-type: application/json\r\n");
        let request = move || {
            let body = body();
            format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        };
        Self { address: address.to_owned(), request: Arc::new(request) }
    }

    /// Slips of one dish for a kitchen system, each under a key of its own, as the outbox tells them.
    pub fn slips(address: &str) -> Self {
        let head = format!("POST /orders HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
        let request = move || {
            let key = uuid::Uuid::now_v7();
            let table = 1000 + (key.as_u128() as u32) % 2000;
            let body = format!(
                r#"{{"order_id":{table},"table_id":{table},"round":2,"items":[{{"line_id":1,"dish":"Magret de canard","qty":1}}]}}"#
            );
            format!("{head}idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        };
        Self { address: address.to_owned(), request: Arc::new(request) }
    }

    /// Sends one and returns the body of the answer.
    pub async fn once(&self) -> Vec<u8> {
        let mut client = Client::connect(&self.address).await;
        let (status, body) = client.send(&(self.request)(), true).await;
        assert_eq!(status, 200);
        body
    }

    /// So many clients for so long.
    pub async fn run(&self, clients: usize, long: Duration) -> Outcome {
        let began = Instant::now();
        let mut tasks = Vec::new();
        for _ in 0..clients {
            let (address, request) = (self.address.clone(), Arc::clone(&self.request));
            tasks.push(tokio::spawn(async move {
                let mut client = Client::connect(&address).await;
                let mut outcome = Outcome::default();
                while began.elapsed() < long {
                    let bytes = request();
                    let sent = Instant::now();
                    let (status, _) = client.send(&bytes, false).await;
                    outcome.latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                    if (200..300).contains(&status) { outcome.answered += 1 } else { outcome.refused += 1 }
                }
                outcome
            }));
        }
        let mut all = Outcome::default();
        for task in tasks {
            let one = task.await.unwrap();
            all.answered += one.answered;
            all.refused += one.refused;
            all.latencies.extend(one.latencies);
        }
        all.took = began.elapsed();
        all.latencies.sort_unstable();
        all
    }
}

/// One kept connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 64 * 1024] }
    }

    /// Sends a request and reads its answer: the status, and the body when it is wanted.
    async fn send(&mut self, request: &[u8], wanted: bool) -> (u16, Vec<u8>) {
        self.stream.write_all(request).await.unwrap();
        let mut filled = 0;
        let (status, body_at, length) = loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            filled += read;
            if let Some(end) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
                let status = head[9..12].parse().unwrap();
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
                });
                break (status, end + 4, length.expect("answers say how long they are"));
            }
        };
        let mut body = self.buffer[body_at..filled].to_vec();
        let mut left = length - body.len();
        while left > 0 {
            let read = self.stream.read(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            if wanted {
                body.extend_from_slice(&self.buffer[..read]);
            }
            left -= read;
        }
        (status, body)
    }
}
