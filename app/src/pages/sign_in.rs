//! Signing in: a name, a code. Big enough for a thumb on a tray, and a real form for a keyboard.

use crate::browser::live::use_live;
use crate::calls::{sign_in, sign_in_names};
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Notice, Skeleton, Tone, explain};
use crate::components::page::Connection;
use crate::error::CallError;
use crate::i18n::t;
use crate::json::InPage;
use crate::session::{use_session, wanted_page};
use domain::api::{Login, SignInName};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

/// The longest PIN.
const MAX_DIGITS: usize = 8;
/// The shortest PIN.
const MIN_DIGITS: usize = 4;

/// Names, then a PIN pad.
#[component]
pub fn SignInPage() -> impl IntoView {
    let t = t();
    let chosen = RwSignal::new(None::<SignInName>);
    let names = Resource::<Result<Vec<SignInName>, CallError>, InPage>::new_with_options(|| (), |()| sign_in_names(), false);
    let list = move || {
        Suspend::new(async move {
            match names.await {
                Ok(names) if names.is_empty() => view! { <Empty glyph=Glyph::User title=t.no_names/> }.into_any(),
                Ok(names) => view! { <Names names=names chosen=chosen/> }.into_any(),
                Err(_) => {
                    let again = move |_| names.refetch();
                    view! {
                        <Notice tone=Tone::Warning>
                            <span>{t.names_offline}</span>
                            <button type="button" class="button quiet" on:click=again>{t.retry}</button>
                        </Notice>
                    }
                    .into_any()
                }
            }
        })
    };
    view! {
        <Title text=t.sign_in/>
        <main class="sign-in">
            <div class="sign-in-card" class:has-name=move || chosen.with(Option::is_some)>
                <header class="sign-in-head">
                    <p class="sign-in-brand">"Comptoir"</p>
                    <Connection/>
                </header>
                <section class="sign-in-names" aria-label=t.names>
                    <h1>{t.sign_in_title}</h1>
                    <p class="quiet-text">{t.sign_in_lead}</p>
                    <Suspense fallback=|| view! { <Skeleton count=6/> }>{list}</Suspense>
                </section>
                <PinPad chosen=chosen/>
            </div>
        </main>
    }
}

#[component]
fn Names(names: Vec<SignInName>, chosen: RwSignal<Option<SignInName>>) -> impl IntoView {
    let t = t();
    let button = move |name: SignInName| {
        let (username, shown, role) = (name.username.clone(), name.name.clone(), t.role(name.role));
        let same = name.username.clone();
        let pressed = move || if chosen.read().as_ref().is_some_and(|chosen| chosen.username == same) { "true" } else { "false" };
        view! {
            <li>
                <button
                    type="button"
                    class="name"
                    data-testid=format!("name-{username}")
                    aria-pressed=pressed
                    on:click=move |_| chosen.set(Some(name.clone()))
                >
                    <span class="name-initial" aria-hidden="true">{initial(&shown)}</span>
                    <span class="name-words"><strong>{shown}</strong><small>{role}</small></span>
                </button>
            </li>
        }
    };
    view! { <ul class="names">{names.into_iter().map(button).collect_view()}</ul> }
}

#[component]
fn PinPad(chosen: RwSignal<Option<SignInName>>) -> impl IntoView {
    let t = t();
    let (session, live) = (use_session(), use_live());
    let (navigate, query) = (use_navigate(), use_query_map());
    let pin = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let field = NodeRef::<Input>::new();
    // A name was chosen: the keyboard goes on at the code. The field opens no keyboard on a phone, the pad is there.
    Effect::new(move |_| {
        if chosen.with(Option::is_some) {
            pin.set(String::new());
            problem.set(None);
            // In the next frame: until then the field is disabled.
            request_animation_frame(move || focus(field));
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(name) = chosen.get_untracked() else { return };
        if busy.get_untracked() || pin.with_untracked(String::len) < MIN_DIGITS {
            return;
        }
        busy.set(true);
        problem.set(None);
        let navigate = navigate.clone();
        let suite = query.with_untracked(|query| query.get("suite"));
        spawn_local(async move {
            let answer = sign_in(Login { username: name.username, pin: pin.get_untracked() }).await;
            live.heard_of_call(&answer);
            busy.try_set(false);
            pin.try_set(String::new());
            match answer {
                Ok(user) => {
                    let to = wanted_page(suite.as_deref(), user.role);
                    session.enter(user);
                    navigate(&to, NavigateOptions { replace: true, ..NavigateOptions::default() });
                }
                Err(error) => {
                    problem.try_set(Some(explain(&error)));
                    focus(field);
                }
            }
        });
    };
    let nobody = move || chosen.with(Option::is_none);
    let press = move |digit: char| {
        problem.set(None);
        pin.update(|pin| {
            if pin.len() < MAX_DIGITS {
                pin.push(digit);
            }
        });
    };
    let key =
        move |digit: char| view! { <button type="button" class="key" disabled=nobody on:click=move |_| press(digit)>{digit}</button> };
    view! {
        <form class="pin" method="post" on:submit=submit>
            <div class="pin-who">
                <strong>{move || chosen.get().map(|name| name.name)}</strong>
                {move || if nobody() {
                    view! { <p class="quiet-text">{t.name_first}</p> }.into_any()
                } else {
                    view! { <button type="button" class="button quiet" on:click=move |_| chosen.set(None)>{t.other_name}</button> }.into_any()
                }}
            </div>
            <div class="field">
                <label for="pin">{t.pin}" "<small>{t.pin_help}</small></label>
                <input
                    node_ref=field
                    class="input pin-field"
                    id="pin"
                    name="pin"
                    type="password"
                    inputmode="none"
                    autocomplete="off"
                    maxlength=MAX_DIGITS.to_string()
                    data-testid="pin"
                    disabled=nobody
                    aria-describedby="pin-problem"
                    prop:value=move || pin.get()
                    on:input=move |event| pin.set(only_digits(&event_target_value(&event)))
                />
            </div>
            <div id="pin-problem" role="alert" class="pin-problem">
                {move || problem.get().map(|sentence| view! { <p class="pin-wrong"><Icon glyph=Glyph::Alert/>{sentence}</p> })}
            </div>
            <div class="keys" role="group" aria-label=t.pin_pad>
                {('1'..='9').map(key).collect_view()}
                <button type="button" class="key" aria-label=t.pin_erase disabled=nobody on:click=move |_| pin.update(|pin| { pin.pop(); })><Icon glyph=Glyph::Backspace/></button>
                {key('0')}
                <button
                    type="submit"
                    class="key enter"
                    data-testid="enter"
                    disabled={move || busy.get() || pin.with(String::len) < MIN_DIGITS}
                >{move || if busy.get() { t.entering } else { t.enter }}</button>
            </div>
        </form>
    }
}

fn focus(field: NodeRef<Input>) {
    if let Some(field) = field.try_get_untracked().flatten() {
        let _focused = field.focus();
    }
}

fn only_digits(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_digit).take(MAX_DIGITS).collect()
}

fn initial(name: &str) -> String {
    name.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_digits_only() {
        assert_eq!(only_digits("12a 34-5678999"), "12345678");
    }
}
