//! What waits on this phone: orders that go out by themselves, and a card for each that a person has to decide about.

use crate::browser::outbox::use_outbox;
use crate::browser::use_cached;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Notice, Tone};
use crate::components::page::Page;
use crate::components::sheet::Sheet;
use crate::components::toast::use_toaster;
use crate::i18n::queue::{DROP_REASONS, t as words};
use crate::i18n::t;
use crate::session::use_session;
use domain::TableId;
use domain::api::TableView;
use domain::menu::Menu;
use domain::order::ItemRequest;
use domain::sync::{Ask, Choice, Conflict, Intent, IntentState};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use std::sync::Arc;
use uuid::Uuid;

/// So many cards are drawn: more is nobody's to read.
const SHOWN: usize = 60;

/// The page.
#[component]
pub fn QueuePage() -> impl IntoView {
    let words = words();
    let (outbox, toaster) = (use_outbox(), use_toaster());
    let floor = use_cached("floor", calls::floor);
    let menu = use_cached("menu", calls::menu);
    // What is being decided: about which order, and what the sheet asks.
    let asked = RwSignal::new(None::<(Uuid, Choice)>);
    let open = RwSignal::new(false);
    let ask = move |uuid: Uuid, choice: Choice| match choice {
        Choice::OtherTable | Choice::Drop => {
            asked.set(Some((uuid, choice)));
            open.set(true);
        }
        Choice::Append | Choice::Accept | Choice::Without => spawn_local(async move {
            if !outbox.decide(uuid, choice, None).await {
                toaster.say(Tone::Bad, words.not_decided);
            }
        }),
    };
    let navigate = use_navigate();
    let correct = move |uuid: Uuid| {
        let navigate = navigate.clone();
        spawn_local(async move {
            match outbox.correct(uuid).await {
                Some(table) => navigate(&format!("/table/{table}"), NavigateOptions::default()),
                None => toaster.say(Tone::Bad, words.not_decided),
            }
        });
    };
    let names = Memo::new(move |_| {
        let floor: Vec<TableView> = floor.data.get().unwrap_or_default();
        floor.into_iter().map(|table| (table.id, table.name)).collect::<Vec<_>>()
    });
    let name_of = move |id: TableId| {
        names.with(|names| names.iter().find(|(table, _)| *table == id).map_or_else(|| id.to_string(), |(_, name)| name.clone()))
    };
    let intents = move || {
        outbox.with_intents(|intents| {
            // What a person has to decide about comes first.
            let (first, rest): (Vec<_>, Vec<_>) = intents.iter().partition(|intent| intent.conflict().is_some());
            first.into_iter().chain(rest).take(SHOWN).cloned().collect::<Vec<_>>()
        })
    };
    let correct = Callback::new(correct);
    let card = move |intent: Arc<Intent>| {
        let of = Arc::clone(&intent);
        let table = Signal::derive(move || name_of(of.table_id()));
        let of = Arc::clone(&intent);
        let what = Signal::derive(move || menu.data.with(|menu| describe(&of, menu.as_ref())));
        view! { <Card intent=intent table=table what=what ask=Callback::new(move |(uuid, choice)| ask(uuid, choice)) correct=correct/> }
    };
    let holds_any = Memo::new(move |_| outbox.with_intents(|intents| !intents.is_empty()));
    let list = move || {
        if holds_any.get() {
            // Of hundreds that go out one after the other, only those that come into sight are drawn.
            let key = |intent: &Arc<Intent>| (intent.uuid, intent.state.clone());
            view! { <ul class="queue-cards"><For each=intents key=key children=card/></ul> }.into_any()
        } else if outbox.unreadable() > 0 {
            ().into_any()
        } else {
            view! { <Empty glyph=Glyph::CheckAll title=words.nothing detail=words.nothing_detail/> }.into_any()
        }
    };
    let title = Signal::derive(move || match asked.get() {
        Some((_, Choice::OtherTable)) => words.which_table.to_owned(),
        _ => words.drop_why.to_owned(),
    });
    let move_to = move |table: TableId| {
        if let Some((uuid, choice)) = asked.get_untracked() {
            spawn_local(async move {
                if !outbox.decide(uuid, choice, Some(table)).await {
                    toaster.say(Tone::Bad, words.not_decided);
                }
                open.try_set(false);
            });
        }
    };
    let give_up = move |reason: &'static str| {
        if let Some((uuid, _)) = asked.get_untracked() {
            spawn_local(async move {
                if !outbox.give_up(uuid, reason.to_owned()).await {
                    toaster.say(Tone::Bad, words.not_decided);
                }
                open.try_set(false);
            });
        }
    };
    let choices = move || match asked.get() {
        Some((_, Choice::OtherTable)) => {
            let tiles = names.get().into_iter().map(|(id, name)| {
                view! {
                    <button type="button" class="table-choice" data-testid=format!("to-table-{id}") on:click=move |_| move_to(id)>
                        <strong><span class="visually-hidden">{t().table}" "</span>{name}</strong>
                    </button>
                }
            });
            view! { <div class="table-choices">{tiles.collect_view()}</div> }.into_any()
        }
        _ => {
            let reasons = DROP_REASONS.into_iter().enumerate().map(|(i, reason)| {
                view! {
                    <button type="button" class="action" data-testid=format!("reason-{i}") on:click=move |_| give_up(reason)>
                        <Icon glyph=Glyph::Trash/><span><strong>{reason}</strong></span>
                    </button>
                }
            });
            view! { <div class="actions">{reasons.collect_view()}</div> }.into_any()
        }
    };
    view! {
        <Page title=words.title back="/plan" class="queue">
            <Show when=move || { outbox.unreadable() > 0 }><Notice tone=Tone::Warning><span>{words.unreadable}</span></Notice></Show>
            {list}
            <Sheet open=open title=title><div class="panel">{choices}</div></Sheet>
        </Page>
    }
}

/// One order: where, what, where it stands, and what can be decided.
#[component]
fn Card(
    intent: Arc<Intent>,
    table: Signal<String>,
    what: Signal<String>,
    ask: Callback<(Uuid, Choice)>,
    correct: Callback<Uuid>,
) -> impl IntoView {
    let words = words();
    let session = use_session();
    let uuid = intent.uuid;
    let is_mine = session.user_untracked().is_some_and(|user| user.id == intent.user_id);
    let state = match &intent.state {
        IntentState::Conflict(conflict) => {
            let conflict: Conflict = conflict.clone();
            let sentence = words.conflict(&conflict);
            // The lines come back to the table, to be typed otherwise.
            let can_correct = matches!(conflict, Conflict::DishOut { .. } | Conflict::PriceChanged { .. } | Conflict::Refused { .. });
            let again = can_correct.then(|| {
                view! {
                    <button type="button" class="button" disabled=!is_mine data-testid="choice-correct" on:click=move |_| correct.run(uuid)>
                        {words.correct}
                    </button>
                }
            });
            // Of an order that is all out nothing would be left.
            let is_possible = |choice: &Choice| *choice != Choice::Without || intent.decide(*choice, None, Uuid::nil()).is_some();
            let buttons = conflict.choices().iter().copied().filter(is_possible).map(|choice| {
                let class = if choice == Choice::Drop { "button is-drop" } else { "button" };
                view! {
                    <button type="button" class=class disabled=!is_mine data-testid=format!("choice-{}", choice.as_str()) on:click=move |_| ask.run((uuid, choice))>
                        {words.choice(choice, &conflict)}
                    </button>
                }
            });
            let buttons = buttons.collect_view();
            view! {
                <p class="queue-why"><Icon glyph=Glyph::Alert/>{sentence}</p>
                <div class="queue-choices">{again}{buttons}</div>
            }
            .into_any()
        }
        IntentState::Waiting if !is_mine => view! { <p class="queue-state"><Icon glyph=Glyph::User/>{words.of_other}</p> }.into_any(),
        IntentState::Waiting => view! { <p class="queue-state"><Icon glyph=Glyph::Phone/>{words.sent_soon}</p> }.into_any(),
        IntentState::Dropping { .. } => view! { <p class="queue-state"><Icon glyph=Glyph::Trash/>{words.dropping}</p> }.into_any(),
    };
    view! {
        <li class="card queue-card" class:is-conflict=intent.conflict().is_some() data-testid="queued">
            <h2>{move || t().table_named(&table.get())}</h2>
            <p class="quiet-text">{what}</p>
            {state}
        </li>
    }
}

/// `1 Magret de canard, 2 Cahors`.
fn describe(intent: &Intent, menu: Option<&Menu>) -> String {
    let items: &[ItemRequest] = match &intent.ask {
        Ask::Sync(request) => &request.items,
        Ask::Plain(request) => &request.items,
    };
    let name = |wish: &ItemRequest| {
        let name = wish.wanted().and_then(|id| menu?.item(id)).map_or_else(|| "?".to_owned(), |item| item.name.clone());
        format!("{} {name}", wish.qty)
    };
    items.iter().map(name).collect::<Vec<_>>().join(", ")
}
