//! Caisse-AP over TCP, the terminal's side.

use super::{Script, Simulator, half};
use domain::Cents;
use domain::terminal::caisse_ap::{Message, Reader, encode};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

impl Simulator {
    /// Answers every till that calls.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let terminal = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = terminal.answer(stream).await {
                            tracing::debug!(%error, "the till hung up");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulated terminal cannot take a call");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = Reader::default();
        let mut buffer = [0; 1024];
        let request = loop {
            match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                count => reader.push(&buffer[..count]),
            }
            if let Some(request) = reader.request() {
                break request;
            }
        };
        let reference = request.text(b"CF").unwrap_or_default().to_owned();
        let amount = request.text(b"CB").and_then(|digits| digits.parse().ok()).map_or(Cents::ZERO, Cents);
        let script = self.next_script(&reference, amount);
        let reply = match script {
            Script::Approve => self.approve(&request, &reference, amount),
            Script::Partial => self.approve(&request, &reference, half(amount)),
            Script::Slow(wait) => {
                tokio::time::sleep(wait).await;
                self.approve(&request, &reference, amount)
            }
            Script::WrongEcho => {
                self.charge(&reference, amount);
                approval(&request, "ZZZZZZZZZZ", amount)
            }
            Script::DropAfterRequest => {
                self.charge(&reference, amount);
                return Ok(());
            }
            Script::Decline => refusal(&request, &reference, "04"),
            Script::Cancel => refusal(&request, &reference, "06"),
            Script::Refuse => refusal(&request, &reference, "09"),
            Script::Silent => {
                while stream.read(&mut buffer).await? > 0 {}
                return Ok(());
            }
        };
        stream.write_all(&reply).await?;
        stream.shutdown().await
    }

    fn approve(&self, request: &Message, reference: &str, amount: Cents) -> Vec<u8> {
        self.charge(reference, amount);
        approval(request, reference, amount)
    }
}

fn approval(request: &Message, reference: &str, amount: Cents) -> Vec<u8> {
    let amount = format!("{:08}", amount.0);
    encode([
        (b"CZ", request.text(b"CZ").unwrap_or_default()),
        (b"CA", request.text(b"CA").unwrap_or_default()),
        (b"CE", request.text(b"CE").unwrap_or_default()),
        (b"CD", request.text(b"CD").unwrap_or_default()),
        (b"CB", &amount),
        (b"CC", "00B"),
        (b"AA", "497010######7890"),
        (b"AC", "123456"),
        (b"CF", reference),
        (b"AE", "10"),
    ])
}

/// As an Ingenico Desk/5000 says it: without the amount.
fn refusal(request: &Message, reference: &str, reason: &str) -> Vec<u8> {
    encode([
        (b"CZ", request.text(b"CZ").unwrap_or_default()),
        (b"CA", request.text(b"CA").unwrap_or_default()),
        (b"CE", request.text(b"CE").unwrap_or_default()),
        (b"CF", reference),
        (b"AE", "01"),
        (b"AF", reason),
    ])
}
