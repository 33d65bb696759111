//! One address for several servers, as any load balancer would give them, and the simplest there is: each connection goes to the next in turn, and
//! past one that lets nobody in. It knows nothing of what is said, nor of who says it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};

/// Opens it before servers at these ports, and returns its own port. It is there as long as the runtime is.
pub async fn open(servers: Vec<u16>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (servers, turn) = (Arc::new(servers), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            let (servers, first) = (Arc::clone(&servers), turn.fetch_add(1, Ordering::Relaxed));
            tokio::spawn(lead(caller, servers, first));
        }
    });
    port
}

async fn lead(mut caller: TcpStream, servers: Arc<Vec<u16>>, first: usize) {
    for n in first..first + servers.len() {
        if let Ok(mut server) = TcpStream::connect(("127.0.0.1", servers[n % servers.len()])).await {
            // Ends with whoever hangs up, or dies.
            let _ = tokio::io::copy_bidirectional(&mut caller, &mut server).await;
            return;
        }
    }
}
