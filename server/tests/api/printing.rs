//! Paper, on a printer that hears as a real one does.

use crate::support::{Client, TestApp};
use domain::receipt::{Laid, escpos, lay_out};
use serde_json::{Value, json};
use server::services::verifying;
use server::sim::printer::{Fault, Simulator, picture};
use std::sync::Arc;
use tokio::net::TcpListener;

/// A till with a printer beside it.
async fn till(columns: usize) -> (TestApp, Arc<Simulator>) {
    let printer = Simulator::new(columns);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("tcp://{}?columns={columns}", listener.local_addr().unwrap());
    tokio::spawn(printer.clone().serve(listener));
    (TestApp::with_printer(&url).await, printer)
}

/// Sells a magret and its wine for cash and returns the ticket's number.
async fn sell(app: &TestApp, camille: &Client, table: u32) -> i64 {
    let alice = app.signed_in("alice").await;
    let items = json!([{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}]);
    let order = alice.post("/api/orders", &json!({"table_id": table, "covers": 1, "items": items})).await;
    let request = json!({"order_id": order.body["order_id"], "cover_number": 1, "amount": 52, "method": "ESPECES", "tendered": 60});
    let paid = camille.post("/api/payments/split", &request).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    paid.body["ticket_no"].as_i64().unwrap()
}

async fn print(camille: &Client, no: i64, request: Value) -> (u16, Value) {
    let answer = camille.post(&format!("/api/nf525/tickets/{no}/print"), &request).await;
    (answer.status, answer.body)
}

async fn is_sound(app: &TestApp) {
    let report = verifying::verify(&app.house.db).await.unwrap();
    assert!(report.ok, "{:?}", report.flaws);
}

#[tokio::test]
async fn what_comes_out_of_the_printer_is_the_ticket_to_the_letter() {
    for columns in [32, 42, 48] {
        let (app, printer) = till(columns).await;
        let camille = app.signed_in("camille").await;
        let no = sell(&app, &camille, 5).await;
        let (status, done) = print(&camille, no, json!({})).await;
        assert_eq!((status, &done["status"], &done["print_no"]), (200, &json!("printed"), &json!(0)), "{done}");

        let lines: Vec<domain::receipt::Line> = serde_json::from_value(done["paper"]["lines"].clone()).unwrap();
        let papers = printer.papers();
        assert_eq!(papers.len(), 1);
        assert_eq!(papers[0].laid, lay_out(&lines, columns));
        assert!(papers[0].was_cut && printer.strange().is_empty(), "{:?}", printer.strange());
        let text = papers[0].text();
        assert!(text.contains("Magret de canard") && text.contains("0 (original)") && text.contains("[QR T-01-1."), "{text}");
        assert!(picture(&papers[0]).unwrap().starts_with(b"\x89PNG"));
    }
}

/// Carries bytes between a serial line and the printer behind it, as a cable does. The line is never closed on the printer's side.
fn cable(printer: std::net::TcpStream) -> (String, std::fs::File) {
    use nix::fcntl::OFlag;
    use serialport::{SerialPort, TTYPort};
    use std::io::{ErrorKind, Read, Write};
    use std::os::unix::fs::OpenOptionsExt;
    let (mut ours, mut theirs) = TTYPort::pair().unwrap();
    ours.set_timeout(std::time::Duration::from_millis(20)).unwrap();
    theirs.set_exclusive(false).unwrap();
    let name = theirs.name().unwrap();
    // A plain file: a port would hold the lock that the till needs.
    let open = std::fs::OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&name).unwrap();
    let (mut out, mut back) = (ours.try_clone_native().unwrap(), printer.try_clone().unwrap());
    std::thread::spawn(move || {
        let (mut buffer, mut printer) = ([0; 512], printer);
        loop {
            match ours.read(&mut buffer) {
                Ok(count) => printer.write_all(&buffer[..count]).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                Err(_) => return,
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok(count @ 1..) = back.read(&mut buffer) {
            if out.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    });
    (name, open)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_on_a_serial_line_prints_the_same_and_says_when_its_paper_is_out() {
    let printer = Simulator::new(42);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(printer.clone().serve(listener));
    let (line, _kept_open) = cable(std::net::TcpStream::connect(address).unwrap());
    let app = TestApp::with_printer(&format!("serial://{line}?baud=38400&columns=42")).await;
    let camille = app.signed_in("camille").await;
    let no = sell(&app, &camille, 5).await;
    let (status, done) = print(&camille, no, json!({})).await;
    assert_eq!((status, &done["status"], &done["print_no"]), (200, &json!("printed"), &json!(0)), "{done}");
    printer.until(|printer| printer.papers().len() == 1).await.unwrap();
    let lines: Vec<domain::receipt::Line> = serde_json::from_value(done["paper"]["lines"].clone()).unwrap();
    assert_eq!(printer.papers()[0].laid, lay_out(&lines, 42));
    assert!(printer.papers()[0].was_cut && printer.strange().is_empty(), "{:?}", printer.strange());

    // It answers over the same line: without paper nothing is sent, and the print waits.
    printer.set(Fault::PaperOut);
    let (_, waits) = print(&camille, no, json!({})).await;
    assert_ne!(waits["status"], json!("printed"), "{waits}");
    assert_eq!(printer.papers().len(), 1);
    is_sound(&app).await;
}

#[tokio::test]
async fn every_print_after_the_first_is_a_recorded_duplicata() {
    let (app, printer) = till(48).await;
    let camille = app.signed_in("camille").await;
    let no = sell(&app, &camille, 5).await;
    for print_no in 0..3 {
        let (_, done) = print(&camille, no, json!({})).await;
        assert_eq!((&done["status"], &done["print_no"]), (&json!("printed"), &json!(print_no)));
    }
    let last = printer.papers().pop().unwrap().text();
    assert_eq!(last.matches("DUPLICATA 2").count(), 2, "above and below:\n{last}");
    assert!(last.contains("2 (duplicata)") && last.contains("Camille"), "{last}");
    let kinds: Vec<String> =
        sqlx::query_scalar("select transaction_type from audit_logs where chain = 'D' order by seq").fetch_all(&app.owner).await.unwrap();
    assert_eq!(kinds, ["REMISE", "DUPLICATA", "DUPLICATA"]);
    assert_eq!(camille.get(&format!("/api/nf525/tickets/{no}")).await.body["prints"], json!(3));
    is_sound(&app).await;
}

#[tokio::test]
async fn the_same_request_is_the_same_print() {
    let (app, printer) = till(48).await;
    let camille = app.signed_in("camille").await;
    let (one, two) = (sell(&app, &camille, 5).await, sell(&app, &camille, 6).await);
    let request = json!({"uuid": "0190d3a6-6c0f-7c3e-9d0a-0123456789ab"});
    let (first, again) = (print(&camille, one, request.clone()).await, print(&camille, one, request.clone()).await);
    assert_eq!(first, again);
    assert_eq!(printer.papers().len(), 1);
    assert_eq!(print(&camille, two, request).await.1["code"], "idempotency_mismatch");
}

#[tokio::test]
async fn without_paper_it_is_said_the_sale_goes_on_and_the_print_follows_by_itself() {
    let (app, printer) = till(48).await;
    let camille = app.signed_in("camille").await;
    printer.set(Fault::PaperOut);
    let no = sell(&app, &camille, 5).await;
    let (status, done) = print(&camille, no, json!({})).await;
    assert_eq!((status, &done["status"], &done["trouble"]), (202, &json!("waiting"), &json!("no_paper")));
    assert!(done["detail"].as_str().unwrap().contains("papier"));
    sell(&app, &camille, 6).await;
    // Asked for again while it waits: still the same print.
    assert_eq!(print(&camille, no, json!({})).await.1["print_no"], json!(0));
    assert_eq!(printer.papers(), []);
    printer.set(Fault::None);
    printer.until(|printer| !printer.papers().is_empty()).await.unwrap();
    assert!(printer.papers()[0].text().contains("0 (original)"));
    is_sound(&app).await;
}

#[tokio::test]
async fn an_open_cover_is_said_and_the_browser_can_take_the_same_print() {
    let (app, printer) = till(48).await;
    let camille = app.signed_in("camille").await;
    printer.set(Fault::CoverOpen);
    let no = sell(&app, &camille, 5).await;
    assert_eq!(print(&camille, no, json!({})).await.1["trouble"], json!("cover_open"));
    let (_, done) = print(&camille, no, json!({"to": "browser"})).await;
    assert_eq!((&done["status"], &done["print_no"]), (&json!("recorded"), &json!(0)));
    // What the browser has may be on paper.
    assert_eq!(print(&camille, no, json!({"to": "browser"})).await.1["print_no"], json!(1));
    is_sound(&app).await;
}

#[tokio::test]
async fn a_print_that_breaks_off_is_doubtful_and_the_next_one_a_duplicata() {
    let (app, printer) = till(48).await;
    let camille = app.signed_in("camille").await;
    let no = sell(&app, &camille, 5).await;
    for (fault, trouble) in [(Fault::DropAfter(700), "interrupted"), (Fault::PaperEndsAfter(12), "no_paper")] {
        printer.set(fault);
        let (status, done) = print(&camille, no, json!({})).await;
        assert_eq!((status, &done["status"], &done["trouble"]), (200, &json!("doubtful"), &json!(trouble)), "{done}");
    }
    printer.set(Fault::None);
    let (_, done) = print(&camille, no, json!({})).await;
    assert_eq!((&done["status"], &done["print_no"]), (&json!("printed"), &json!(2)));
    is_sound(&app).await;
}

#[tokio::test]
async fn a_printer_that_never_answers_still_prints() {
    let (app, printer) = till(42).await;
    let camille = app.signed_in("camille").await;
    printer.set(Fault::Silent);
    let no = sell(&app, &camille, 5).await;
    assert_eq!(print(&camille, no, json!({})).await.1["status"], json!("printed"));
    printer.until(|printer| printer.papers().len() == 1).await.unwrap();
}

#[tokio::test]
async fn a_dead_printer_stops_neither_sale_nor_closing() {
    // A port that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let app = TestApp::with_printer(&format!("tcp://127.0.0.1:{port}")).await;
    let camille = app.signed_in("camille").await;
    let no = sell(&app, &camille, 5).await;
    let (status, done) = print(&camille, no, json!({})).await;
    assert_eq!((status, &done["trouble"]), (202, &json!("unreachable")));
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.status, 200);
    is_sound(&app).await;
}

#[tokio::test]
async fn cash_opens_the_drawer_and_the_z_comes_out_at_closing() {
    let (app, printer) = till(48).await;
    let camille = app.signed_in("camille").await;
    sell(&app, &camille, 5).await;
    printer.until(|printer| printer.kicks() == 1).await.unwrap();
    assert_eq!(printer.papers(), [], "nobody asked for a ticket");
    let z = camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(z.status, 200, "{}", z.text);
    printer.until(|printer| printer.papers().len() == 1).await.unwrap();
    let paper = printer.papers().pop().unwrap();
    let lines: Vec<domain::receipt::Line> = serde_json::from_value(z.body["paper"]["lines"].clone()).unwrap();
    assert_eq!(paper.laid, lay_out(&lines, 48));
    assert!(paper.text().contains("[QR G-01-1."), "{}", paper.text());
    // The same Z again is printed by hand only, and is a duplicata.
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.body["already_closed"], json!(true));
    let again = camille.post(&format!("/api/nf525/closings/{}/print", z.body["audit_log_id"]), &json!({})).await;
    assert_eq!((again.status, &again.body["print_no"]), (200, &json!(1)), "{}", again.text);
    assert_eq!(printer.papers().len(), 2);
    is_sound(&app).await;
}

#[tokio::test]
async fn without_a_printer_the_browser_prints_and_no_paper_is_recorded_once() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    let no = sell(&app, &camille, 5).await;
    assert_eq!(print(&camille, no, json!({"to": "printer"})).await.1["code"], "no_printer");
    for _ in 0..2 {
        assert_eq!(camille.post(&format!("/api/nf525/tickets/{no}/decline"), &json!({})).await.status, 204);
    }
    let (_, done) = print(&camille, no, json!({})).await;
    assert_eq!((&done["status"], &done["print_no"]), (&json!("recorded"), &json!(1)), "after « aucun ticket » every paper is a duplicata");
    assert!(done["paper"]["code"]["path"].as_str().unwrap().starts_with('M'));
    for (no, path) in [(99, "print"), (99, "decline")] {
        assert_eq!(camille.post(&format!("/api/nf525/tickets/{no}/{path}"), &json!({})).await.status, 404);
    }
    is_sound(&app).await;
}

#[tokio::test]
async fn prints_that_a_dead_process_left_are_doubtful_and_nothing_unprints_a_paper() {
    let (app, printer) = till(48).await;
    let camille = app.signed_in("camille").await;
    let no = sell(&app, &camille, 5).await;
    print(&camille, no, json!({})).await;
    let unprint = "update prints set state = 'waiting'";
    for pool in [&app.house.db, &app.owner] {
        let error = sqlx::raw_sql(unprint).execute(pool).await.unwrap_err().to_string();
        assert!(error.contains("interdite"), "{error}");
    }
    printer.set(Fault::PaperOut);
    print(&camille, no, json!({})).await;
    sqlx::raw_sql("update prints set state = 'sending', state_at = now() - interval '1 hour' where state = 'waiting'")
        .execute(&app.owner)
        .await
        .unwrap();
    let (_, done) = print(&camille, no, json!({"to": "browser"})).await;
    assert_eq!(done["print_no"], json!(2), "what was on its way may be on paper: {done}");
}

#[tokio::test]
async fn a_device_file_takes_the_bytes_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("lp0");
    let app = TestApp::with_printer(&format!("file://{}?columns=32", device.display())).await;
    let camille = app.signed_in("camille").await;
    let no = sell(&app, &camille, 5).await;
    assert_eq!(print(&camille, no, json!({})).await.1["trouble"], json!("unreachable"), "it is never created");
    std::fs::write(&device, b"").unwrap();
    let (_, done) = print(&camille, no, json!({})).await;
    assert_eq!((&done["status"], &done["print_no"]), (&json!("printed"), &json!(0)), "{done}");
    let lines: Vec<domain::receipt::Line> = serde_json::from_value(done["paper"]["lines"].clone()).unwrap();
    let mut laid = lay_out(&lines, 32);
    laid.push(Laid::Cut);
    let mut heard = escpos::Decoder::default().push(&std::fs::read(&device).unwrap());
    heard.retain(|heard| *heard != escpos::Heard::Laid(Laid::Drawer));
    assert_eq!(heard, laid.into_iter().map(escpos::Heard::Laid).collect::<Vec<_>>());
}
