//! The app: what all pages share, and the table of addresses.

use crate::browser::{clock::Clock, live::Live, outbox::Outbox, start_in_browser};
use crate::components::pass::{PassCards, PassNotifications};
use crate::components::toast::{Toaster, Toasts};
use crate::pages::apart;
use crate::pages::not_found::NotFoundPage;
use crate::pages::plan::PlanPage;
use crate::pages::sign_in::SignInPage;
use crate::session::{Gate, Session};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Redirect, Route, Router, Routes};
use leptos_router::{SsrMode, path};

/// The whole app. The server renders it, the browser hydrates it, the offline shell mounts it.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Session::new());
    provide_context(Live::new());
    provide_context(Clock::new());
    provide_context(Toaster::new());
    provide_context(Outbox::new());
    start_in_browser();
    provide_context(PassCards::begin());
    view! {
        <Title formatter=|page: String| if page.is_empty() { "Comptoir".to_owned() } else { format!("{page} · Comptoir") }/>
        <Router>
            <Gate/>
            <Routes fallback=NotFoundPage>
                // everybody
                <Route path=path!("/connexion") view=SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/") view=|| view! { <Redirect path="/plan"/> } ssr=SsrMode::Async/>
                // waiters, on phones
                <Route path=path!("/plan") view=PlanPage ssr=SsrMode::Async/>
                <Route path=path!("/table/:id") view=apart::order ssr=SsrMode::Async/>
                <Route path=path!("/en-attente") view=apart::queue ssr=SsrMode::Async/>
                // the kitchen, on a screen at the pass
                <Route path=path!("/cuisine") view=apart::kitchen ssr=SsrMode::Async/>
                // cashiers, at the desk
                <Route path=path!("/addition/:order") view=apart::bill ssr=SsrMode::Async/>
                <Route path=path!("/ticket/:no") view=apart::ticket ssr=SsrMode::Async/>
                <Route path=path!("/a-verifier") view=apart::money_check ssr=SsrMode::Async/>
                <Route path=path!("/cloture") view=apart::closing ssr=SsrMode::Async/>
                // owners
                <Route path=path!("/passe") view=apart::pass_waits ssr=SsrMode::Async/>
                <Route path=path!("/plan/editeur") view=apart::floor_editor ssr=SsrMode::Async/>
            </Routes>
            <div class="stack"><Toasts/></div>
            <PassNotifications/>
        </Router>
    }
}
