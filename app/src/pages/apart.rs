//! Pages that a phone on the floor seldom opens travel in files of their own.
//!
//! The browser begins with the sign-in page and the plan, and fetches the page of an order while a waiter looks at the plan. Bill, ticket, kitchen,
//! closing, the editor and the owner's figures come when they are opened, from the service worker where there is one, so also without a network: it
//! keeps every file. Which function goes into which file is decided when the release is linked (the feature `split`, see `.ci/site`); other builds
//! are one file, and everything is here at once.
//!
//! On the server and while a page of the server is taken over, the page must be there at once: the browser fetches what it needs before it
//! begins (`before_begin`). That a file does not come is said, with a button that begins the page anew; it stops nothing else.

use crate::components::notice::{Notice, Skeleton, Tone};
use crate::components::page::Page;
use crate::i18n::t;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::SplitLoaderError;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

type Later<T> = Pin<Box<dyn Future<Output = T>>>;
type Fetched = Result<(), SplitLoaderError>;
type Opened = Result<AnyView, SplitLoaderError>;

/// A page, and how its code comes here.
#[derive(Debug, Clone, Copy)]
struct Apart {
    fetch: fn() -> Later<Fetched>,
    open: fn() -> Later<Opened>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    OnItsWay,
    Here,
    Missing,
}

/// `file: page = Component, at "/address";` gives a view for the route, and the list of addresses.
macro_rules! apart {
    ($($file:ident: $page:ident = $component:path, $fetch:ident, at $address:literal;)*) => {
        $(
            #[doc = concat!("The page at `", $address, "`.")]
            pub fn $page() -> AnyView {
                parts::$page().show()
            }
        )*

        mod parts {
            use super::{Apart, Opened};
            use leptos::prelude::*;

            $(
                pub(super) fn $page() -> Apart {
                    Apart { fetch: || Box::pin($page::$fetch()), open: || Box::pin($page::$page()) }
                }

                // The function has the page's name: it is what the file's parts are told apart by.
                mod $page {
                    use super::*;

                    #[cfg(feature = "split")]
                    #[leptos::wasm_split::wasm_split($file, wasm_split_path = leptos::wasm_split, fallible, preload($fetch))]
                    pub(super) fn $page() -> Opened {
                        Ok($component().into_any())
                    }

                    #[cfg(not(feature = "split"))]
                    pub(super) async fn $page() -> Opened {
                        Ok($component().into_any())
                    }

                    #[cfg(not(feature = "split"))]
                    pub(super) async fn $fetch() -> super::super::Fetched {
                        Ok(())
                    }
                }
            )*

            /// The longest address that a path begins with.
            #[cfg(feature = "hydrate")]
            pub(super) fn at(path: &str) -> Option<Apart> {
                let all: [(&str, fn() -> Apart); _] = [$(($address, $page)),*];
                all.into_iter().filter(|(address, _)| path.starts_with(address)).max_by_key(|(address, _)| address.len()).map(|(_, page)| page())
            }
        }
    };
}

apart! {
    floor: order = crate::pages::order::OrderPage, fetch_order, at "/table/";
    floor: queue = crate::pages::queue::QueuePage, fetch_queue, at "/en-attente";
    house: kitchen = crate::pages::kitchen::KitchenPage, fetch_kitchen, at "/cuisine";
    house: bill = crate::pages::bill::BillPage, fetch_bill, at "/addition/";
    house: ticket = crate::pages::ticket::TicketPage, fetch_ticket, at "/ticket/";
    house: money_check = crate::pages::money_check::MoneyCheckPage, fetch_money_check, at "/a-verifier";
    house: closing = crate::pages::closing::ClosingPage, fetch_closing, at "/cloture";
    house: pass_waits = crate::pages::pass_waits::PassWaitsPage, fetch_pass_waits, at "/passe";
    house: floor_editor = crate::pages::floor_editor::FloorEditorPage, fetch_floor_editor, at "/plan/editeur";
}

impl Apart {
    /// The page, at once when its code is here.
    fn show(self) -> AnyView {
        let mut fetching = (self.fetch)();
        let state = match at_once(&mut fetching) {
            Some(Ok(())) => return self.opened(),
            Some(Err(_)) => RwSignal::new(State::Missing),
            None => RwSignal::new(State::OnItsWay),
        };
        if state.get_untracked() == State::OnItsWay {
            spawn_local(async move {
                let came = fetching.await.is_ok();
                state.try_set(if came { State::Here } else { State::Missing });
            });
        }
        (move || match state.get() {
            State::Here => self.opened(),
            State::OnItsWay => view! { <Page title=t().loading back="/plan"><Skeleton/></Page> }.into_any(),
            State::Missing => view! {
                <Page title=t().loading back="/plan">
                    <Notice tone=Tone::Warning>
                        <span>{t().unreachable}</span>
                        // The whole page anew: the file may be of a version that the server does not have any more.
                        <form><button class="button quiet">{t().retry}</button></form>
                    </Notice>
                </Page>
            }
            .into_any(),
        })
        .into_any()
    }

    fn opened(self) -> AnyView {
        // What was fetched opens at once.
        at_once(&mut (self.open)()).and_then(Result::ok).unwrap_or_else(|| ().into_any())
    }
}

/// What a future that does not wait comes to.
fn at_once<T>(later: &mut Later<T>) -> Option<T> {
    match later.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Fetches the page of an order, which a waiter on the plan opens next. Nobody waits for it yet.
pub fn expect_order() {
    let mut fetching = (parts::order().fetch)();
    if at_once(&mut fetching).is_none() {
        spawn_local(async move {
            // Opened meanwhile, it says so itself when it does not come.
            let _ = fetching.await;
        });
    }
}

/// Fetches what the page at an address needs, then goes on; says whether it is here.
#[cfg(feature = "hydrate")]
pub fn before_begin(path: &str, go_on: impl FnOnce(bool) + 'static) {
    let Some(page) = parts::at(path) else { return go_on(true) };
    let mut fetching = (page.fetch)();
    match at_once(&mut fetching) {
        Some(fetched) => go_on(fetched.is_ok()),
        None => wasm_bindgen_futures::spawn_local(async move { go_on(fetching.await.is_ok()) }),
    }
}
