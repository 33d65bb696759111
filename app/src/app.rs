//! The app: what all pages share, and the table of addresses.

use crate::browser::{clock::Clock, live::Live, outbox::Outbox, start_in_browser};
use crate::components::pass::{PassCards, PassTray};
use crate::components::toast::{Toaster, Toasts};
use crate::pages::bill::BillPage;
use crate::pages::closing::ClosingPage;
use crate::pages::floor_editor::FloorEditorPage;
use crate::pages::kitchen::KitchenPage;
use crate::pages::money_check::MoneyCheckPage;
use crate::pages::not_found::NotFoundPage;
use crate::pages::order::OrderPage;
use crate::pages::pass_waits::PassWaitsPage;
use crate::pages::plan::PlanPage;
use crate::pages::queue::QueuePage;
use crate::pages::sign_in::SignInPage;
use crate::pages::ticket::TicketPage;
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
                <Route path=path!("/table/:id") view=OrderPage ssr=SsrMode::Async/>
                <Route path=path!("/en-attente") view=QueuePage ssr=SsrMode::Async/>
                // the kitchen, on a screen at the pass
                <Route path=path!("/cuisine") view=KitchenPage ssr=SsrMode::Async/>
                // cashiers, at the desk
                <Route path=path!("/addition/:order") view=BillPage ssr=SsrMode::Async/>
                <Route path=path!("/ticket/:no") view=TicketPage ssr=SsrMode::Async/>
                <Route path=path!("/a-verifier") view=MoneyCheckPage ssr=SsrMode::Async/>
                <Route path=path!("/cloture") view=ClosingPage ssr=SsrMode::Async/>
                // owners
                <Route path=path!("/passe") view=PassWaitsPage ssr=SsrMode::Async/>
                <Route path=path!("/plan/editeur") view=FloorEditorPage ssr=SsrMode::Async/>
            </Routes>
            <div class="stack"><Toasts/><PassTray/></div>
        </Router>
    }
}
