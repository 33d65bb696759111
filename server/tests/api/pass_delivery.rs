//! What was said arrives, whatever is cut meanwhile: a phone, a process, Redis, a network that only looks open.

use crate::events::{Socket, closed_with, next_named, open, since};
use crate::redis_sessions::Redis;
use crate::support::{Client, TestApp};
use futures::StreamExt;
use serde_json::json;
use server::config::Pulse;
use std::time::{Duration, Instant};

/// Sends an order of so many dishes and returns the numbers of its lines.
async fn lines(client: &Client, table: i64, dishes: usize) -> Vec<i64> {
    let items: Vec<_> = (0..dishes).map(|i| json!({"dish_id": 12, "qty": 1, "note": format!("n° {i}")})).collect();
    let order = client.post("/api/orders", &json!({"table_id": table, "items": items})).await.body["order_id"].clone();
    let order = client.get(&format!("/api/orders/{order}")).await.body;
    order["lines"].as_array().unwrap().iter().map(|line| line["line_id"].as_i64().unwrap()).collect()
}

async fn ready(client: &Client, line: i64) {
    assert_eq!(client.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "ready"})).await.status, 200);
}

async fn numbers(socket: &mut Socket, count: usize) -> Vec<i64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let Some(event) = next_named(socket, "dish_ready").await else { break };
        numbers.push(event["id"].as_i64().unwrap());
    }
    numbers
}

#[tokio::test]
async fn whoever_comes_back_hears_what_was_missed_in_order_and_then_what_is_new() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let lines = lines(&alice, 5, 40).await;
    for line in &lines[..10] {
        ready(&alice, *line).await;
    }
    let mut first = open(&app, &alice, None).await.unwrap();
    assert_eq!(numbers(&mut first, 10).await, (1..=10).collect::<Vec<_>>());
    drop(first);
    for line in &lines[10..20] {
        ready(&alice, *line).await;
    }
    // While the missed ones are told, new ones are said: nothing is lost, doubled or out of order between the two.
    let (mut back, ()) = tokio::join!(since(&app, &alice, 10), async {
        for line in &lines[20..] {
            ready(&alice, *line).await;
        }
    });
    assert_eq!(numbers(&mut back, 30).await, (11..=40).collect::<Vec<_>>());
    let mut elsewhere = since(&app, &alice, 4_000_000).await;
    assert_eq!(numbers(&mut elsewhere, 40).await.len(), 40, "a number that was never given: all that waits");
}

#[tokio::test]
async fn two_processes_tell_each_other_and_lose_nothing_when_redis_dies() {
    let mut redis = Redis::start();
    let here = TestApp::with_redis(&redis.url).await;
    let there = here.another().await;
    let alice = here.signed_in("alice").await;
    let lines = lines(&alice, 5, 30).await;
    let mut socket = open(&there, &alice, None).await.unwrap();
    // Until both hear each other.
    tokio::time::timeout(Duration::from_secs(10), async {
        while redis::cmd("PUBSUB")
            .arg("NUMSUB")
            .arg("comptoir:news")
            .query::<(String, u64)>(&mut redis::Client::open(redis.url.as_str()).unwrap().get_connection().unwrap())
            .unwrap()
            .1
            < 2
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("both subscribe");
    let said = Instant::now();
    ready(&alice, lines[0]).await;
    assert_eq!(numbers(&mut socket, 1).await, [1]);
    assert!(said.elapsed() < Duration::from_millis(900), "faster than by looking: {:?}", said.elapsed());

    redis.child.kill().unwrap();
    redis.child.wait().unwrap();
    for line in &lines[1..10] {
        ready(&alice, *line).await;
    }
    assert_eq!(numbers(&mut socket, 9).await, (2..=10).collect::<Vec<_>>(), "without Redis");
    redis.revive();
    for line in &lines[10..] {
        ready(&alice, *line).await;
    }
    assert_eq!(numbers(&mut socket, 20).await, (11..=30).collect::<Vec<_>>(), "while it comes back");
}

#[tokio::test]
async fn signing_out_closes_the_sockets_of_that_session_at_once_in_every_process() {
    let redis = Redis::start();
    let here = TestApp::with_redis(&redis.url).await;
    let there = here.another().await;
    let (alice, same_alice, bob) = (here.signed_in("alice").await, here.signed_in("alice").await, here.signed_in("bob").await);
    let mut sockets = [open(&here, &alice, None).await.unwrap(), open(&there, &alice, None).await.unwrap()];
    let mut other_phone = open(&here, &same_alice, None).await.unwrap();
    let mut of_bob = open(&there, &bob, None).await.unwrap();
    assert_eq!(alice.post("/api/auth/logout", &json!({})).await.status, 204);
    for socket in &mut sockets {
        assert_eq!(closed_with(socket).await, Some(4401));
    }
    // Somebody who may no longer work here loses every socket.
    let gerant = here.signed_in("gerant").await;
    let change = json!({"name": "Bob", "role": "serveur", "active": false});
    assert_eq!(gerant.put("/api/users/2", &change).await.status, 200);
    assert_eq!(closed_with(&mut of_bob).await, Some(4401));
    let lines = lines(&same_alice, 5, 1).await;
    ready(&same_alice, lines[0]).await;
    assert_eq!(numbers(&mut other_phone, 1).await, [1], "her other phone stays");
}

#[tokio::test]
async fn a_phone_that_does_not_answer_is_given_up_and_comes_back_to_what_it_missed() {
    let pulse = Pulse { ping_every: Duration::from_millis(50), silence: Duration::from_millis(400) };
    let app = TestApp::with(|config| config.pulse = pulse).await;
    let alice = app.signed_in("alice").await;
    let lines = lines(&alice, 5, 2).await;
    // Half open: the other side reads nothing and says nothing, and the connection stays.
    let mut silent = open(&app, &alice, None).await.unwrap();
    ready(&alice, lines[0]).await;
    let until = Instant::now() + Duration::from_secs(10);
    while app.house.bus.is_listening(domain::UserId::from_row(1)) {
        assert!(Instant::now() < until, "the server never notices");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ready(&alice, lines[1]).await;
    assert_eq!(numbers(&mut silent, 2).await.len(), 1, "what was written before lies in the cable");
    assert!(silent.next().await.is_none_or(|frame| frame.is_err()), "and then nothing");
    let mut back = since(&app, &alice, 1).await;
    assert_eq!(numbers(&mut back, 1).await, [2]);
    // Whoever answers stays.
    let talks = tokio::time::timeout(Duration::from_millis(1200), async {
        loop {
            let Some(Ok(_)) = back.next().await else { break };
            crate::events::say(&mut back, &json!({"event": "pong", "data": {}})).await;
        }
    });
    assert!(talks.await.is_err(), "an answered ping keeps the connection");
}

#[tokio::test]
async fn whoever_cannot_keep_up_is_told_to_catch_up() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let lines = lines(&alice, 5, 1).await;
    let mut slow = open(&app, &alice, None).await.unwrap();
    ready(&alice, lines[0]).await;
    // More than a room holds, faster than any socket reads: nobody else runs between two of them.
    let event = domain::api::Event::Ping {};
    for _ in 0..1_000 {
        app.house.bus.send(server::adapters::bus::Audience::Person(domain::UserId::from_row(1)), event.clone());
    }
    assert_eq!(closed_with(&mut slow).await, Some(4408));
    let mut back = open(&app, &alice, None).await.unwrap();
    assert_eq!(numbers(&mut back, 1).await, [1], "what was stored is not lost");
}
