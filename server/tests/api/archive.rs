//! An archive is made, checked by us, and by a script that shares nothing with us.

use crate::records::sell;
use crate::support::TestApp;
use serde_json::json;
use server::services::archive::check::{check, check_order};
use server::services::archive::make;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use time::{Date, Duration};

fn python(archive: &Path, key: Option<&Path>) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archive_check.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(archive).args(key);
    let run = command.output().unwrap();
    (run.status.code().unwrap(), String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned())
}

async fn today(app: &TestApp) -> Date {
    sqlx::query_scalar("select max(date) from audit_logs").fetch_one(&app.owner).await.unwrap()
}

/// Packs an archive again with one file changed, as somebody with a zip program would.
pub fn changed(archive: &Path, to: &Path, name: &str, change: impl Fn(Vec<u8>) -> Option<Vec<u8>>) {
    use server::services::archive::zip::{Zip, read};
    let mut file = std::io::BufReader::new(std::fs::File::open(archive).unwrap());
    let places = read::directory(&mut file).unwrap();
    let mut zip = Zip::new(std::fs::File::create(to).unwrap());
    for (entry, place) in places {
        let mut bytes = Vec::new();
        read::open(&mut file, &place).unwrap().read_to_end(&mut bytes).unwrap();
        let bytes = if entry == name { change(bytes) } else { Some(bytes) };
        if let Some(bytes) = bytes {
            zip.add(&entry, |out| out.write_all(&bytes)).unwrap();
        }
    }
    zip.finish().unwrap();
}

#[tokio::test]
async fn an_archive_is_sound_for_us_and_for_a_stranger_and_every_change_is_seen() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for table in 1..=3 {
        sell(&alice, &camille, table).await;
    }
    camille.post("/api/cash/movements", &json!({"kind": "float", "amount": 100})).await;
    camille.post("/api/nf525/close", &json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let (day, key) = (today(&app).await, folder.path().join("key.pem"));
    std::fs::write(&key, app.house.signer.public_key_pem()).unwrap();
    let first = folder.path().join("first.zip");
    let made = make(&app.house, "Gérant", day, day, &first).await.unwrap();
    assert!(made.name.starts_with("archive-00000000000000-01-") && made.name.ends_with("-A1.zip"), "{}", made.name);
    assert!(made.report.ok);
    let pem = app.house.signer.public_key_pem();
    let checked = check(&first, Some(pem), Vec::new()).await.unwrap();
    assert!(checked.report.ok, "{:?}", checked.report.flaws);
    assert_eq!(checked.report.records, 6);
    assert_eq!(python(&first, Some(&key)), (0, "6 records, 0 flaws\n".to_owned()));
    let leftovers: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(leftovers.len(), 2, "{leftovers:?}");

    // More is sold; the next archive begins in the middle of the chains.
    sell(&alice, &camille, 4).await;
    camille.post("/api/nf525/close", &json!({})).await;
    let second = folder.path().join("second.zip");
    make(&app.house, "Gérant", day, day, &second).await.unwrap();
    let again = check(&second, Some(pem), Vec::new()).await.unwrap();
    assert!(again.report.ok, "{:?}", again.report.flaws);
    assert_eq!(python(&second, None).0, 0, "{}", python(&second, None).1);
    assert!(check_order(&[checked, again]).is_empty());

    let tampered = |name: &str, change: &dyn Fn(Vec<u8>) -> Option<Vec<u8>>| {
        let path = folder.path().join(format!("tampered-{}.zip", name.replace('/', "-")));
        changed(&first, &path, name, change);
        path
    };
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| Some(String::from_utf8(bytes).unwrap().replacen(from, to, 1).into_bytes())
    };
    let cases: [(&str, PathBuf, &str); 5] = [
        ("journal.jsonl", tampered("journal.jsonl", &replace("Expresso", "Cappucci")), "archive_file_differs"),
        ("tickets.csv", tampered("tickets.csv", &replace("2,50", "1,50")), "archive_file_differs"),
        ("manifest.json", tampered("manifest.json", &replace("\"last_record\": 6", "\"last_record\": 5")), "manifest_signature_invalid"),
        ("notes.csv", tampered("notes.csv", &|_| None), "archive_file_missing"),
        (
            "manifest.sig",
            tampered("manifest.sig", &|mut bytes| {
                bytes[0] ^= 1;
                Some(bytes)
            }),
            "manifest_signature_invalid",
        ),
    ];
    for (name, path, code) in cases {
        let found = check(&path, Some(pem), Vec::new()).await.unwrap();
        assert!(found.report.flaws.iter().any(|flaw| flaw.code == code), "{name}: {:?}", found.report.flaws);
        assert!(!found.report.ok && !found.report.inconclusive, "{name}");
        if name != "notes.csv" {
            assert_eq!(python(&path, Some(&key)).0, 2, "{name}: {}", python(&path, Some(&key)).1);
        }
    }
    let altered = check(&folder.path().join("tampered-journal.jsonl.zip"), Some(pem), Vec::new()).await.unwrap();
    assert!(
        altered.report.flaws.iter().any(|flaw| (flaw.chain.as_str(), flaw.seq, flaw.code.as_str()) == ("T", 1, "content_digest_differs"))
    );
    // An archive that somebody signed with a key of their own.
    let own = server::adapters::signer::Signer::open(&folder.path().join("own.pem"), true).unwrap();
    let stranger = check(&first, Some(own.public_key_pem()), Vec::new()).await.unwrap();
    assert!(!stranger.report.ok && stranger.report.inconclusive, "{:?}", stranger.report.flaws);
}

/// What the page in the browser is told, by the same code.
#[tokio::test]
async fn an_archive_is_told_to_a_person_and_what_is_changed_in_it_is_named() {
    use server::adapters::signer::{Checker, Signer, fingerprint};
    use verifier::{Asked, Demonstration, Examined, Unreadable, Verdict};
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for table in 1..=3 {
        sell(&alice, &camille, table).await;
    }
    camille.post("/api/nf525/close", &json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let (day, path) = (today(&app).await, folder.path().join("a.zip"));
    make(&app.house, "Gérant", day, day, &path).await.unwrap();
    let anchors = std::fs::read_to_string(&app.house.anchoring.file).unwrap();
    let ask = |asked: &Asked| -> Result<Examined, Unreadable> {
        let mut told = 0;
        let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
        let examined = verifier::examine(file, asked, Checker::new, |pem| fingerprint(pem).ok(), &mut |now| {
            assert!(now > told && now <= 1000);
            told = now;
        });
        assert!(examined.is_err() || told == 1000, "{told}");
        examined
    };

    let sound = ask(&Asked { anchors: Some(anchors.clone()), ..Asked::default() }).unwrap();
    assert_eq!((sound.verdict, sound.records, sound.flaw_count), (Verdict::Sound, 5, 0), "{:?}", sound.flaws);
    let chains: Vec<_> = sound.chains.iter().map(|chain| (chain.chain.as_str(), chain.first, chain.last, chain.records)).collect();
    assert_eq!(chains, [("T", 1, 3, 3), ("G", 1, 1, 1), ("J", 1, 1, 1)]);
    let z = &sound.closings[0];
    assert_eq!((sound.closings.len(), z.number, z.tickets, z.total, z.perpetual, z.sound), (1, 1, 3, 750, 750, true));
    let key = sound.keys.trusted.unwrap();
    assert_eq!((key.fingerprint, sound.keys.from_archive), (app.house.signer.fingerprint(), true));
    let own = ask(&Asked { public_key: Some(app.house.signer.public_key_pem().to_owned()), ..Asked::default() }).unwrap();
    assert_eq!((own.verdict, own.keys.from_archive), (Verdict::Sound, false));
    let stranger = Signer::open(&folder.path().join("own.pem"), true).unwrap();
    let other = ask(&Asked { public_key: Some(stranger.public_key_pem().to_owned()), ..Asked::default() }).unwrap();
    assert_eq!(other.verdict, Verdict::Undecided);

    for (number, seq) in [(None, 2), (Some(3), 3)] {
        let amount = ask(&Asked { demonstration: Some(Demonstration::Amount { number }), ..Asked::default() }).unwrap();
        let (shown, broken) = (amount.shown.unwrap(), amount.first_break.unwrap());
        assert_eq!((shown.before, shown.after, shown.seq), (domain::Cents(250).to_french(), domain::Cents(350).to_french(), seq));
        assert_eq!((broken.chain.as_str(), broken.seq, broken.code.as_str()), ("T", seq, "content_digest_differs"));
        assert_eq!(amount.verdict, Verdict::Flawed);
        assert!(amount.flaws.iter().any(|flaw| flaw.code == "archive_file_differs"), "{:?}", amount.flaws);
        let byte = ask(&Asked { demonstration: Some(Demonstration::Byte { number }), ..Asked::default() }).unwrap();
        let (shown, broken) = (byte.shown.unwrap(), byte.first_break.unwrap());
        assert_ne!(shown.before, shown.after);
        assert_eq!((broken.chain.as_str(), broken.seq), ("T", seq), "{broken:?}");
        // The record after it still follows: one change is one break.
        assert!(byte.flaws.iter().all(|flaw| flaw.seq == seq || flaw.seq == 0 || flaw.chain == "G"), "{:?}", byte.flaws);
    }
    let none = ask(&Asked { demonstration: Some(Demonstration::Amount { number: Some(99) }), ..Asked::default() });
    assert!(matches!(none, Err(Unreadable::Missing(what)) if what == "ticket"));
    let moved = anchors.replacen("\"total\":750", "\"total\":700", 1);
    let anchored = ask(&Asked { anchors: Some(moved), ..Asked::default() }).unwrap();
    assert_eq!(anchored.first_break.unwrap().code, "anchor_differs");
    std::fs::write(&path, "pas un zip").unwrap();
    assert!(matches!(ask(&Asked::default()), Err(Unreadable::NoArchive(_))));
}

/// The frozen records of `domain` are those that a script computes that shares nothing with it.
#[test]
fn the_golden_records_are_those_of_the_script() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/domain/tests/fiscal/golden/vectors.py");
    assert!(Command::new("python3").arg(script).arg("--check").status().unwrap().success());
}

#[tokio::test]
async fn two_archives_made_at_once_name_one_another() {
    let app = TestApp::start().await;
    sell(&app.signed_in("alice").await, &app.signed_in("camille").await, 1).await;
    let (folder, day) = (tempfile::tempdir().unwrap(), today(&app).await);
    let files: Vec<PathBuf> = (0..3).map(|n| folder.path().join(format!("{n}.zip"))).collect();
    // Two processes: one process makes one after the other.
    let other = app.another().await;
    let houses = [&app.house, &other.house, &app.house];
    let made = houses.into_iter().zip(&files).map(|(house, file)| make(house, "Gérant", day, day, file));
    let mut made: Vec<_> = futures::future::join_all(made).await.into_iter().map(Result::unwrap).zip(&files).collect();
    made.sort_by_key(|(made, _)| made.record.seq);
    let mut checked = Vec::new();
    for (_, file) in made {
        checked.push(check(file, None, Vec::new()).await.unwrap());
        assert!(checked.last().unwrap().report.ok);
    }
    assert_eq!(check_order(&checked).iter().map(|flaw| flaw.code.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(server::services::verifying::verify(&app.house.db).await.unwrap().ok);
}

#[test]
fn two_names_for_the_same_bytes_are_no_archive() {
    use server::services::archive::zip::{Zip, read};
    let mut zip = Zip::new(std::io::Cursor::new(Vec::new()));
    for name in ["journal.jsonl", "lignes.csv"] {
        zip.add(name, |out| out.write_all(&[b'x'; 1000])).unwrap();
    }
    let sound = zip.finish().unwrap().into_inner();
    assert_eq!(read::directory(&mut std::io::Cursor::new(&sound)).unwrap().len(), 2);
    let mut bomb = sound;
    let last = bomb.windows(4).rposition(|window| window == 0x0201_4b50_u32.to_le_bytes()).unwrap();
    bomb[last + 42..last + 46].fill(0);
    assert!(read::directory(&mut std::io::Cursor::new(&bomb)).is_err());
}

#[tokio::test]
async fn a_flawed_journal_is_archived_and_says_so() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    sqlx::raw_sql("alter table audit_logs disable trigger audit_logs_no_change").execute(&app.owner).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (day, path) = (today(&app).await, folder.path().join("flawed.zip"));
    let made = make(&app.house, "", day, day, &path).await.unwrap();
    assert!(!made.report.ok);
    let checked = check(&path, None, Vec::new()).await.unwrap();
    assert!(checked.manifest.flaws.iter().any(|flaw| flaw.contains("guard_disabled")));
    let events: Vec<String> =
        sqlx::query_scalar("select metadata ->> 'code' from audit_logs where chain = 'J' order by id").fetch_all(&app.owner).await.unwrap();
    assert_eq!(events, ["archive_made", "integrity_flaw"]);
}

#[tokio::test]
async fn auditors_and_owners_download_an_archive_and_nobody_asks_for_too_much() {
    let app = TestApp::start().await;
    let (alice, camille, audit) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("audit").await);
    sell(&alice, &camille, 1).await;
    let day = today(&app).await;
    let path = |from: Date, to: Date| format!("/api/nf525/archive?from={from}&to={to}");
    assert_eq!(camille.get(&path(day, day)).await.status, 403);
    let answer = audit.get(&path(day, day)).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/zip")));
    assert!(answer.header("content-disposition").unwrap().contains("archive-00000000000000-01-"));
    for (from, to) in
        [(day, day - Duration::days(1)), (day - Duration::days(400), day), (day - Duration::days(30), day - Duration::days(20))]
    {
        assert_eq!(audit.get(&path(from, to)).await.status, 422, "{from} {to}");
    }
    assert_eq!(audit.get("/api/nf525/archive?from=hier").await.status, 422);
}

/// Any bytes, and bytes near to an archive's: it is read to its end or refused, and nothing that was changed is called sound. `COMPTOIR_CASES` says
/// how many tries; a hundredth of them, because each reads an archive.
#[tokio::test]
async fn an_archive_of_any_bytes_is_refused_or_is_the_one_that_was_signed() {
    let tries = std::env::var("COMPTOIR_CASES").ok().map_or(150, |text| text.parse::<usize>().unwrap() / 100);
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    camille.post("/api/nf525/close", &json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let (day, sound) = (today(&app).await, folder.path().join("sound.zip"));
    make(&app.house, "Gérant", day, day, &sound).await.unwrap();
    let (bytes, pem) = (std::fs::read(&sound).unwrap(), app.house.signer.public_key_pem());
    let signed = check(&sound, Some(pem), Vec::new()).await.unwrap().manifest_sha256;
    let (mut refused, mut flawed, mut unchanged) = (0, 0, 0);
    for _ in 0..tries {
        let mut changed = bytes.clone();
        for _ in 0..rand::random_range(1..4) {
            let at = rand::random_range(0..changed.len());
            match rand::random_range(0..5) {
                0 => changed[at] ^= 1 << rand::random_range(0..8),
                1 => changed.truncate(at.max(1)),
                2 => changed.insert(at, rand::random()),
                // Sizes and places of the directory stand at its end.
                3 => {
                    let at = changed.len() - 1 - at % changed.len().min(400);
                    changed[at] = rand::random();
                }
                _ => changed = (0..rand::random_range(1..2_000)).map(|_| rand::random()).collect(),
            }
        }
        let path = folder.path().join("changed.zip");
        std::fs::write(&path, &changed).unwrap();
        match check(&path, Some(pem), Vec::new()).await {
            Err(_) => refused += 1,
            Ok(checked) if !checked.report.ok => flawed += 1,
            // What a zip program may change without changing a file.
            Ok(checked) => {
                assert_eq!(checked.manifest_sha256, signed);
                unchanged += 1;
            }
        }
    }
    println!("{tries} damaged archives: {refused} refused, {flawed} flawed, {unchanged} the same archive in another envelope");
    assert!(refused + flawed > tries / 2);

    // Packed again as an archive that is whole in itself, with one file of it changed: that is seen from what was signed, whatever file it is.
    let names: Vec<String> = {
        use server::services::archive::zip::read;
        let places = read::directory(&mut std::io::BufReader::new(std::fs::File::open(&sound).unwrap())).unwrap();
        places.into_keys().collect()
    };
    let (mut refused, mut flawed) = (0, 0);
    for name in names.iter().cycle().take((tries / 5).max(4 * names.len())) {
        let path = folder.path().join("repacked.zip");
        changed(&sound, &path, name, |mut bytes| {
            match (bytes.len(), rand::random_range(0..3)) {
                (0, _) => bytes.push(b'x'),
                (length, 0) => bytes[rand::random_range(0..length)] ^= 1 << rand::random_range(0..8),
                (length, 1) => bytes.truncate(rand::random_range(0..length)),
                (length, _) => bytes.insert(rand::random_range(0..=length), b'0'),
            }
            Some(bytes)
        });
        match check(&path, Some(pem), Vec::new()).await {
            Err(_) => refused += 1,
            Ok(checked) => {
                assert!(!checked.report.ok, "a change of {name} is not seen");
                flawed += 1;
            }
        }
    }
    println!("one file changed in each: {refused} refused, {flawed} flawed");
    assert!(flawed > 0, "a change inside an archive is a flaw of it");

    // A line that is a gigabyte once it is unpacked costs no gigabyte.
    let bomb = folder.path().join("bomb.zip");
    changed(&sound, &bomb, "journal.jsonl", |_| Some(vec![b'{'; 256 << 20]));
    let began = std::time::Instant::now();
    let answer = check(&bomb, Some(pem), Vec::new()).await;
    assert!(answer.is_err(), "a line without end is no journal");
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
}
