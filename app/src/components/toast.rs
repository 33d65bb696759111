//! What just happened: short sentences that go by themselves. Ready dishes have cards of their own: [`super::pass`].
//!
//! They are announced politely to screen readers, never take the focus and never cover the button that sends.

use super::icon::{Glyph, Icon};
use super::notice::Tone;
use crate::i18n::t;
use leptos::prelude::*;
use std::sync::Arc;

/// A sentence goes after so long, in milliseconds.
#[cfg(feature = "hydrate")]
const SHOWN_FOR_MS: u32 = 5_000;

type Action = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone)]
struct Message {
    number: u32,
    tone: Tone,
    glyph: Glyph,
    text: String,
    /// What can be done about it while it is shown, and the word for that.
    action: Option<(&'static str, Action)>,
}

impl Message {
    fn saying(tone: Tone, text: String) -> Self {
        Self { number: 0, tone, glyph: tone.glyph(), text, action: None }
    }
}

/// Says what happened; in context everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Toaster {
    messages: RwSignal<Vec<Message>>,
    last: StoredValue<u32>,
}

impl Toaster {
    /// Nothing to say yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is one, made by the app")]
    pub fn new() -> Self {
        Self { messages: RwSignal::new(Vec::new()), last: StoredValue::new(0) }
    }

    /// Says a sentence that goes by itself; a bad one stays until it is dismissed.
    pub fn say(self, tone: Tone, text: impl Into<String>) {
        let number = self.add(Message::saying(tone, text.into()));
        if tone != Tone::Bad {
            self.dismiss_later(number);
        }
    }

    /// Says a sentence and offers to undo what it says, as long as it is shown. Returns under which number it can be withdrawn.
    pub fn offer(self, text: impl Into<String>, word: &'static str, action: impl Fn() + Send + Sync + 'static) -> u32 {
        let offer = Message { glyph: Glyph::Undo, action: Some((word, Arc::new(action))), ..Message::saying(Tone::Info, text.into()) };
        let number = self.add(offer);
        self.dismiss_later(number);
        number
    }

    /// Takes an offer back: what it says did not happen.
    pub fn withdraw(self, number: u32) {
        self.dismiss(number);
    }

    fn dismiss_later(self, number: u32) {
        #[cfg(feature = "hydrate")]
        gloo_timers::callback::Timeout::new(SHOWN_FOR_MS, move || self.dismiss(number)).forget();
        #[cfg(not(feature = "hydrate"))]
        let _ = number;
    }

    fn add(self, message: Message) -> u32 {
        let number = self.last.try_update_value(|last| {
            *last += 1;
            *last
        });
        let number = number.unwrap_or(0);
        self.messages.update(|all| {
            // The oldest goes before the screen is full of them.
            if all.len() >= 4 {
                all.remove(0);
            }
            all.push(Message { number, ..message });
        });
        number
    }

    fn dismiss(self, number: u32) {
        self.messages.try_update(|all| all.retain(|message| message.number != number));
    }
}

/// The toaster of this tab.
#[must_use]
pub fn use_toaster() -> Toaster {
    use_context().unwrap_or_else(Toaster::new)
}

/// Where messages appear; once, in the app.
#[component]
pub fn Toasts() -> impl IntoView {
    let t = t();
    let toaster = use_toaster();
    let card = move |message: Message| {
        let number = message.number;
        let action = message.action.map(|(word, act)| {
            let act = move |_| {
                toaster.dismiss(number);
                act();
            };
            view! { <button type="button" class="button quiet" data-testid="toast-action" on:click=act>{word}</button> }
        });
        view! {
            <div class=format!("toast {}", message.tone.class())>
                <Icon glyph=message.glyph/>
                <p>{message.text}</p>
                {action}
                <button type="button" class="round" aria-label=t.dismiss on:click=move |_| toaster.dismiss(number)><Icon glyph=Glyph::Cross/></button>
            </div>
        }
    };
    view! {
        <section class="toasts" aria-label=t.messages aria-live="polite">
            {move || toaster.messages.get().into_iter().map(card).collect_view()}
        </section>
    }
}
