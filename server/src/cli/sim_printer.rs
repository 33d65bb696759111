//! `comptoir sim printer`: a simulated ticket printer, until it is asked to stop.

use crate::sim::printer::{Fault, Printed, Simulator, picture};
use anyhow::{Context, ensure};
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// A ticket printer.
#[derive(Debug, Args)]
pub(super) struct Printer {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// Characters in a row: 32, 42 or 48
    #[arg(long, default_value_t = 48)]
    columns: usize,
    /// What is wrong with it: none, paper-out, cover-open, silent, drop-after:BYTES, paper-ends-after:ROWS
    #[arg(long, default_value = "none")]
    fault: Fault,
    /// Keep each paper as a picture in this folder: papier-1.png, papier-2.png …
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) async fn run(Printer { listen, columns, fault, out }: Printer) -> anyhow::Result<ExitCode> {
    ensure!([32, 42, 48].contains(&columns), "a roll has 32, 42 or 48 columns");
    if let Some(folder) = &out {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let printer = Simulator::reporting(columns, move |paper, number| {
        report(&format!("--- paper {number} ---\n{}", paper.text()));
        if let Some(folder) = &out {
            match keep(folder, paper, number) {
                Ok(file) => report(&format!("picture: {}", file.display())),
                Err(error) => tracing::error!(error = format!("{error:#}"), "the picture is not kept"),
            }
        }
    });
    printer.set(fault);
    let listener = tokio::net::TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    report(&format!("PRINTER_URL=tcp://{}?columns={columns}", listener.local_addr()?));
    tokio::select! {
        () = Arc::clone(&printer).serve(listener) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    report(&format!("{} papers, drawer opened {} times", printer.papers().len(), printer.kicks()));
    for what in printer.strange() {
        report(&format!("not understood: {what}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn keep(folder: &Path, paper: &Printed, number: usize) -> anyhow::Result<PathBuf> {
    let file = folder.join(format!("papier-{number}.png"));
    std::fs::write(&file, picture(paper)?)?;
    Ok(file)
}

#[expect(clippy::print_stdout, reason = "what the simulated printer prints, for the person who started it")]
fn report(line: &str) {
    println!("{line}");
}
