//! Caisse-AP over TCP, the terminal's side.

use super::speech::Asked;
use super::{Act, STRANGER, Script, Simulator, garble};
use domain::terminal::caisse_ap::Reader;
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
        let _talking = self.talk();
        let mut reader = Reader::default();
        let mut buffer = [0; 1024];
        let mut may_hear = match self.coming() {
            Script::DropRequest(bytes) => bytes,
            _ => usize::MAX,
        };
        let asked = loop {
            if may_hear == 0 {
                // What is left unread makes the till see a broken line.
                self.advance();
                self.cut();
                return Ok(());
            }
            let most = may_hear.min(buffer.len());
            match stream.read(&mut buffer[..most]).await? {
                0 => return Ok(()),
                count => {
                    may_hear -= count;
                    reader.push(&buffer[..count]);
                }
            }
            if let Some(request) = reader.request() {
                break Asked::Tagged(request);
            }
        };
        if asked.is_duplicate() {
            stream.write_all(&self.last_ticket(&asked)).await?;
            return stream.shutdown().await;
        }
        let script = self.next_script(&asked);
        if let Script::Slow(wait) | Script::LateNoEcho(wait) = script {
            tokio::time::sleep(wait).await;
        }
        match self.act(script, &asked) {
            Act::Answer(reply) => {
                stream.write_all(&reply).await?;
                stream.shutdown().await
            }
            Act::Garbled { reply, .. } => {
                stream.write_all(&garble(reply)).await?;
                stream.shutdown().await
            }
            // There is no line to meet on: it speaks of another payment first.
            Act::Collision(reply) => {
                let another = asked.approval(STRANGER, asked.amount());
                stream.write_all(&[another, reply].concat()).await?;
                stream.shutdown().await
            }
            Act::AnotherFirst { reply, wait } => {
                stream.write_all(&asked.approval(STRANGER, asked.amount())).await?;
                tokio::time::sleep(wait).await;
                stream.write_all(&reply).await?;
                stream.shutdown().await
            }
            Act::Cut { reply, after } => {
                stream.write_all(&reply[..after.min(reply.len())]).await?;
                self.cut();
                stream.flush().await
            }
            Act::Silence => {
                while stream.read(&mut buffer).await? > 0 {}
                Ok(())
            }
        }
    }
}
