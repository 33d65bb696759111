//! `comptoir sim …`: machines to develop and test against. None of them ever stands on the way of a real order or payment by itself.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use clap::{Subcommand, value_parser};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{sim_printer, sim_tpe};
use crate::jwt::Secret;
use crate::sim::erp::{Script, Simulator, Webhook};

/// What can be simulated.
#[derive(Debug, Subcommand)]
pub(super) enum Sim {
    /// A kitchen system over HTTP; give its address as `ERP_URL`
    Erp {
        /// Where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:8069")]
        listen: SocketAddr,
        /// Milliseconds before every answer
        #[arg(long, default_value_t = 0)]
        latency_ms: u64,
        /// Per cent of calls answered with 500
        #[arg(long, default_value_t = 0, value_parser = value_parser!(u8).range(0..=100))]
        fail_rate: u8,
        /// Per cent of calls never answered
        #[arg(long, default_value_t = 0, value_parser = value_parser!(u8).range(0..=100))]
        silent_rate: u8,
        /// Per cent of calls that do their work and are not answered, so that they come again
        #[arg(long, default_value_t = 0, value_parser = value_parser!(u8).range(0..=100))]
        duplicate_rate: u8,
        /// Refuse slips with this dish (422)
        #[arg(long)]
        unknown_dish: Option<String>,
        /// Append every slip to this file when it comes for the first time, one JSON object a line
        #[arg(long)]
        log: Option<PathBuf>,
        /// The till's webhook, such as `http://127.0.0.1:3000/api/webhooks/erp/dish-ready`: told of each dish when it is ready. Needs `ERP_JWT_SECRET`
        #[arg(long)]
        webhook: Option<http::Uri>,
        /// Milliseconds after which a dish is ready
        #[arg(long, default_value_t = 5000)]
        ready_after_ms: u64,
        /// The same seed and the same calls bring the same misfortunes
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// A card terminal: Caisse-AP over TCP, or Concert on a pseudo-terminal
    Tpe(sim_tpe::Tpe),
    /// A ticket printer over TCP; give its address as `PRINTER_URL`
    Printer(sim_printer::Printer),
}

#[expect(clippy::print_stdout, reason = "the answer of the command: where it listens")]
pub(super) async fn run(command: Sim, secret: Option<Secret>, stopping: CancellationToken) -> anyhow::Result<ExitCode> {
    let (listen, latency_ms, fail_rate, silent_rate, duplicate_rate, unknown_dish, log, seed, webhook, ready_after_ms) = match command {
        Sim::Tpe(terminal) => return sim_tpe::run(terminal).await,
        Sim::Printer(printer) => return sim_printer::run(printer).await,
        Sim::Erp { listen, latency_ms, fail_rate, silent_rate, duplicate_rate, unknown_dish, log, seed, webhook, ready_after_ms } => {
            (listen, latency_ms, fail_rate, silent_rate, duplicate_rate, unknown_dish, log, seed, webhook, ready_after_ms)
        }
    };
    let rates = [fail_rate, silent_rate, duplicate_rate];
    ensure!(rates.map(u32::from).iter().sum::<u32>() <= 100, "the rates add up to more than 100 %");
    let latency = Duration::from_millis(latency_ms);
    let script = Script { latency, fail_rate, silent_rate, duplicate_rate, unknown_dish };
    let mut simulator = Simulator::open(script, seed, log)?;
    if let Some(url) = webhook {
        let secret = secret.context("ERP_JWT_SECRET: the till listens only to who shares its secret")?;
        simulator = simulator.calling_back(Webhook::new(url, secret, Duration::from_millis(ready_after_ms)));
    }
    let simulator = Arc::new(simulator);
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    println!("Kitchen system simulator: ERP_URL=http://{}", listener.local_addr()?);
    simulator.serve(listener, stopping).await;
    Ok(ExitCode::SUCCESS)
}
