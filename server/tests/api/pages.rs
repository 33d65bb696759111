use crate::support::{Answer, Client, TestApp};

/// As a browser asks for a page.
async fn visit(client: &Client, path: &str) -> Answer {
    client.send(client.request(reqwest::Method::GET, path).header("accept", "text/html")).await
}

#[tokio::test]
async fn a_stranger_is_sent_to_the_sign_in_page_which_names_who_works_here() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    let page = visit(&stranger, "/plan").await;
    assert_eq!(page.status, 200, "redirected");
    assert!(page.text.contains("data-testid=\"name-alice\""), "{}", page.text);
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn scripts_run_with_the_nonce_of_their_page_only() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    let (one, two) = (visit(&stranger, "/connexion").await, visit(&stranger, "/connexion").await);
    let nonce = |page: &Answer| {
        let policy = page.header("content-security-policy").unwrap().to_owned();
        let script = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap().to_owned();
        assert!(!script.contains("unsafe-inline") && !script.contains("'unsafe-eval'"), "{script}");
        let nonce = script.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() > 15 && page.text.contains(&format!("nonce=\"{nonce}\"")), "{nonce}");
        nonce
    };
    assert_ne!(nonce(&one), nonce(&two));
    assert_eq!(one.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn the_shell_holds_no_data() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let shell = visit(&alice, "/shell").await;
    assert!(shell.text.contains("data-render=\"shell\""));
    assert!(!shell.text.contains("Alice") && !shell.text.contains("Magret"), "{}", shell.text);
}

#[tokio::test]
async fn an_unknown_page_says_so() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let page = visit(&alice, "/nulle-part").await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("<html"), "a page, not a program's answer");
}

#[tokio::test]
async fn what_is_protected_and_what_is_not_is_read_without_an_account() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    for (path, says, also) in [
        ("/protection", "Ce qui ne se voit pas", "href=\"/manuel\""),
        ("/manuel", "Textes signés", "<table>"),
        ("/attaques", "Ce qui a été tenté", "href=\"/protection\""),
    ] {
        let page = visit(&stranger, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains(says) && page.text.contains(also) && !page.text.contains(".md)"), "{path}: {}", page.text);
        assert!(!page.text.contains("<script"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    }
}
