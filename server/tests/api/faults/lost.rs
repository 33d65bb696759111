//! The way to the database is lost while somebody pays, and nobody closes the connections.

use super::cable::{Cable, State, To};
use super::machine::socket_of;
use crate::folder::folder;
use crate::program::Till;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Far below the time after which a network itself finds out, if ever; far above what the till needs.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_paid_while_the_way_to_the_database_was_lost_holds_nobody_up() {
    let folder = folder();
    let data = folder.path().join("data");
    let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
    let cable = Cable::lay(To::Socket(socket_of(&data).join(".s.PGSQL.5432"))).await;
    let url = format!("postgres://comptoir@127.0.0.1:{}/comptoir?sslmode=disable", cable.port);
    let settings = [("DATABASE_URL", url.as_str()), ("TPE_URL", "none"), ("TMPDIR", folder.path().to_str().unwrap())];
    let till = Till::serve(&data, &settings).await;
    let camille = till.sign_in("camille").await;
    let mut payments = Vec::new();
    for table in 1..=8 {
        let order = json!({"table_id": table, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
        let order = camille.post("/api/orders", &order).await.1["order_id"].clone();
        payments.push(json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES", "uuid": Uuid::now_v7()}));
    }
    let pay = async |payment: &Value| tokio::time::timeout(SOON, camille.post("/api/payments/split", payment)).await;
    assert_eq!(pay(&payments[0]).await.unwrap().0, 201);

    cable.becomes(State::HalfOpen);
    let asked = futures::future::join_all(payments[1..7].iter().map(|payment| camille.post("/api/payments/split", payment)));
    assert!(tokio::time::timeout(Duration::from_secs(1), asked).await.is_err(), "nobody can be answered");
    assert!(cable.lost() > 0);
    cable.becomes(State::Carries);

    let deadline = Instant::now() + SOON;
    loop {
        let (status, said) = pay(&payments[7]).await.expect("held up by those before");
        if status == 201 {
            break;
        }
        assert!(status == 503 && Instant::now() < deadline, "{status} {said}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for payment in &payments {
        let (status, said) = pay(payment).await.expect("under the same id it is answered");
        assert!(matches!(status, 200 | 201), "{status} {said}");
    }
    assert_eq!(camille.get("/api/nf525/x").await.1["count"], json!(8), "each once");
    assert_eq!(camille.get("/api/nf525/verify").await.1["ok"], json!(true));

    // It goes over the same way to the very end, and leaves nothing of it.
    till.stop().await;
    let mut db = PgConnection::connect_with(&cluster.connect_options()).await.unwrap();
    let stopped: i64 =
        sqlx::query_scalar("select count(*) from audit_logs where metadata ->> 'code' = 'stopped'").fetch_one(&mut db).await.unwrap();
    assert_eq!(stopped, 1);
    db.close().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["data"]);
    cluster.stop().await.unwrap();
}
