//! `comptoir sim tpe`: a simulated card terminal, until it is asked to stop.

use crate::sim::tpe::line::PseudoTerminal;
use crate::sim::tpe::{Script, Simulator};
use anyhow::Context;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A card terminal.
#[derive(Debug, Args)]
pub(super) struct Tpe {
    #[command(flatten)]
    place: Place,
    /// What it does with each request, separated by commas; the last one again and again: approve, decline, cancel, silent,
    /// drop-after-request, drop-request:BYTES, drop-answer:BYTES, partial, slow:MS, wrong-echo, bad-lrc, bad-lrc:TIMES, collision, refuse
    #[arg(long, default_value = "approve", value_delimiter = ',')]
    script: Vec<Script>,
}

/// Where a till finds it.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Listen on this address; prints the `TPE_URL` that a till needs
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Make a pseudo-terminal and a link to it here; prints the `TPE_URL` that a till needs
    #[arg(long)]
    pty: Option<PathBuf>,
}

pub(super) async fn run(Tpe { place, script }: Tpe) -> anyhow::Result<ExitCode> {
    let terminal = Simulator::reporting(script, report);
    match place {
        Place { listen: Some(address), .. } => {
            let listener = tokio::net::TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
            report(&format!("TPE_URL=caisse-ap://{}", listener.local_addr()?));
            tokio::select! {
                () = Arc::clone(&terminal).serve(listener) => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Place { pty: Some(link), .. } => {
            let line = PseudoTerminal::open().context("cannot make a pseudo-terminal")?;
            line.link(&link).with_context(|| format!("cannot make the link {}", link.display()))?;
            report(&format!("TPE_URL=concert://{}", std::path::absolute(&link)?.display()));
            let stopping = Arc::new(AtomicBool::new(false));
            let (stop, on_line) = (stopping.clone(), terminal.clone());
            let served = tokio::task::spawn_blocking(move || on_line.serve_line(line, &|| stop.load(Ordering::Relaxed)));
            tokio::signal::ctrl_c().await?;
            stopping.store(true, Ordering::Relaxed);
            served.await??;
            std::fs::remove_file(&link)?;
        }
        Place { listen: None, pty: None } => anyhow::bail!("give --listen ADDR or --pty LINK"),
    }
    report(&format!("charged {} of {} requests", terminal.charged().len(), terminal.requests()));
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the ledger of the simulated terminal, for the person who started it")]
fn report(line: &str) {
    println!("{line}");
}
