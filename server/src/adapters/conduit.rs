//! The way to a database that somebody else keeps, over a network that loses connections without telling.
//!
//! A router that began anew, a firewall that forgot, a machine that lost its power: nobody closes the connection, and whoever asked over it waits
//! for ever, with a place in the pool or a turn at the journal in hand. The driver knows neither patience nor keepalives. So its connections begin at
//! a socket of this process and are handed on from there, where all of them can be given up at once: whoever waits is then told that the database is
//! not there, as when it was stopped. [`crate::workers::way`] finds out when.

use sqlx::postgres::PgConnectOptions;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::copy;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// See the module. Its connections end with it.
pub struct Conduit {
    folder: PathBuf,
    given_up: watch::Sender<()>,
    _handing_on: AbortOnDropHandle<()>,
}

impl Conduit {
    /// Lays one to where these options lead, and returns it with options that go through it. `None` where they lead to a socket of this machine,
    /// which loses nothing.
    ///
    /// # Errors
    /// When there is no folder for a socket below the system's temporary folder.
    pub fn lay(options: PgConnectOptions) -> io::Result<(Option<Arc<Self>>, PgConnectOptions)> {
        if options.get_socket().is_some() || options.get_host().starts_with('/') {
            return Ok((None, options));
        }
        let folder = std::env::temp_dir().join(format!("comptoir-{:016x}", rand::random::<u64>()));
        // Nobody else speaks to the database in our name.
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let listener = UnixListener::bind(folder.join(format!(".s.PGSQL.{}", options.get_port())))?;
        let (given_up, seen) = watch::channel(());
        let handing_on = hand_on(listener, (options.get_host().to_owned(), options.get_port()), seen);
        let conduit = Self { folder, given_up, _handing_on: AbortOnDropHandle::new(tokio::spawn(handing_on)) };
        let options = options.socket(&conduit.folder);
        Ok((Some(Arc::new(conduit)), options))
    }

    /// Ends every connection that there is now. What was asked over one is not answered any more; whether it was done, nobody knows.
    pub fn give_up(&self) {
        self.given_up.send_replace(());
    }
}

impl Drop for Conduit {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "a folder that held only a socket is left behind");
        }
    }
}

async fn hand_on(listener: UnixListener, to: (String, u16), given_up: watch::Receiver<()>) {
    loop {
        match listener.accept().await {
            Ok((near, _)) => {
                let mut given_up = given_up.clone();
                given_up.mark_unchanged();
                tokio::spawn(connect(near, to.clone(), given_up));
            }
            Err(error) => {
                tracing::error!(%error, "no connection to the database can be begun");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// What goes wrong here the driver sees as a connection that ends.
async fn connect(mut near: UnixStream, to: (String, u16), mut given_up: watch::Receiver<()>) {
    let carried = async {
        let mut far = TcpStream::connect(to).await?;
        far.set_nodelay(true)?;
        let ((mut said, mut heard), (mut answers, mut asks)) = (near.split(), far.split());
        // Over with either: nobody speaks to a database that does not listen, and a lost one never says that it is gone.
        tokio::select! {
            ended = copy(&mut said, &mut asks) => ended,
            ended = copy(&mut answers, &mut heard) => ended,
        }
    };
    tokio::select! {
        ended = carried => if let Err(error) = ended {
            tracing::debug!(%error, "a connection to the database ended");
        },
        _ = given_up.changed() => {}
    }
}
