//! The real program, in a process of its own: for what happens to processes, and for what they print.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// A hang is a failure, not a wait.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The real program, serving.
pub struct Till {
    child: Child,
    port: u16,
    pub base: String,
    /// Everything that it said so far.
    pub said: Arc<Mutex<String>>,
}

impl Till {
    pub async fn serve(data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::serve_at(free_port(), data, settings).await
    }

    /// With no more files than that.
    pub async fn serve_with_files(files: usize, data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--nofile={files}:{files}")).arg(env!("CARGO_BIN_EXE_comptoir"));
        Self::start(limited, free_port(), data, settings).await
    }

    /// The same once more, where it was.
    pub async fn again(&self, data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::serve_at(self.port, data, settings).await
    }

    async fn serve_at(port: u16, data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start(Command::new(env!("CARGO_BIN_EXE_comptoir")), port, data, settings).await
    }

    async fn start(mut command: Command, port: u16, data: &Path, settings: &[(&str, &str)]) -> Self {
        for name in ["DATABASE_URL", "REDIS_URL", "ERP_URL", "PRINTER_URL", "FISCAL_KEY_FILE", "FISCAL_ANCHORS", "COMPTOIR_TRAINING"] {
            command.env_remove(name);
        }
        let mut child = command
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .env("COMPTOIR_DATA", data)
            .env("COMPTOIR_ADDR", format!("127.0.0.1:{port}"))
            .env("COMPTOIR_DEMO", "1")
            .env("RUST_LOG", "error")
            .envs(settings.iter().copied())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        tokio::spawn(listen(child.stderr.take().unwrap(), Arc::clone(&said)));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let greeting = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").unwrap();
        assert!(greeting.is_some(), "it does not serve: {}", said.lock().unwrap());
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, port, base: format!("http://127.0.0.1:{port}"), said }
    }

    pub async fn sign_in(&self, username: &str) -> Person {
        let person = Person { base: self.base.clone(), http: Client::new(), cookie: String::new(), answers: Arc::default() };
        let login = json!({"username": username, "pin": "1234"});
        loop {
            let answer = person.http.post(format!("{}/api/auth/login", self.base)).json(&login).send().await.unwrap();
            // Two sign-ins under one name in one moment: the second waits.
            if answer.status() == 429 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
            return Person { cookie, ..person };
        }
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops").unwrap();
        assert!(ended.success(), "{ended}");
    }

    pub async fn kill(mut self) {
        self.kill_in_place().await;
    }

    pub async fn kill_in_place(&mut self) {
        self.child.kill().await.unwrap();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn listen(from: impl AsyncRead + Unpin, said: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut said = said.lock().unwrap();
        said.push_str(&line);
        said.push('\n');
    }
}

/// Somebody who is signed in there, and every answer that they got.
pub struct Person {
    pub base: String,
    pub http: Client,
    pub cookie: String,
    pub answers: Arc<Mutex<String>>,
}

impl Person {
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>, authorization: Option<&str>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        self.answers.lock().unwrap().push_str(&text);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(body), None).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, None, None).await
    }
}
