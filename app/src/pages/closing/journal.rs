//! The journal, checked by whoever doubts it.

use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone, explain};
use crate::error::CallError;
use crate::i18n::t;
use crate::session::use_session;
use domain::api::VerifyReport;
use domain::role::Right;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Checks the whole journal and says in words what came out.
#[component]
pub(super) fn JournalCheck() -> impl IntoView {
    let t = t();
    let (session, live) = (use_session(), use_live());
    let asking = RwSignal::new(false);
    let outcome = RwSignal::new(None::<Result<VerifyReport, CallError>>);
    let ask = move |_| {
        asking.set(true);
        spawn_local(async move {
            let answer = calls::verify().await;
            live.heard_of_call(&answer);
            if let Err(error) = &answer {
                session.heed(error);
            }
            asking.try_set(false);
            outcome.try_set(Some(answer));
        });
    };
    view! {
        <section class="card journal" aria-labelledby="journal-heading">
            <h2 id="journal-heading">{t.journal}</h2>
            <p class="quiet-text">{t.journal_detail}</p>
            <button type="button" class="button" data-testid="verify-journal" disabled=move || asking.get() on:click=ask>
                <Icon glyph=Glyph::Shield/>{move || if asking.get() { t.verifying } else { t.verify_journal }}
            </button>
            <Show when=move || session.may(Right::ExportJournal)><ArchiveForm/></Show>
            <a class="button" href="/verifier" target="_blank" rel="external noopener"><Icon glyph=Glyph::Shield/>{t.verify_archive}</a>
            <p class="quiet-text"><a href="/protection" target="_blank" rel="external noopener" data-testid="protection">{t.what_is_protected}</a></p>
            <div data-testid="journal-outcome">
                {move || outcome.get().map(|outcome| match outcome {
                    Ok(report) => view! { <Outcome report=report/> }.into_any(),
                    Err(error) => view! { <Notice tone=Tone::Bad>{explain(&error)}</Notice> }.into_any(),
                })}
            </div>
        </section>
    }
}

/// Two days, and the signed archive of what lies between: an ordinary link, so that the browser saves it.
#[component]
fn ArchiveForm() -> impl IntoView {
    let t = t();
    view! {
        <form class="archive-form" action="/api/nf525/archive" method="get" data-testid="archive-form">
            <div class="field"><label for="archive-from">{t.archive_from}</label><input id="archive-from" class="input" type="date" name="from" required/></div>
            <div class="field"><label for="archive-to">{t.archive_to}</label><input id="archive-to" class="input" type="date" name="to" required/></div>
            <button type="submit" class="button"><Icon glyph=Glyph::Shield/>{t.archive_download}</button>
        </form>
    }
}

#[component]
fn Outcome(report: VerifyReport) -> impl IntoView {
    let t = t();
    let (tone, sentence) = match (report.ok, report.inconclusive) {
        (true, false) => (Tone::Good, t.journal_sound(report.records)),
        (true, true) => (Tone::Warning, t.journal_unclear(report.records)),
        (false, _) => (Tone::Bad, t.journal_flawed(report.flaws.len(), report.records)),
    };
    let flaws =
        report.flaws.into_iter().map(|flaw| view! { <li><code>{flaw.chain}" "{flaw.seq}</code>" "{flaw.detail}</li> }).collect_view();
    view! {
        <Notice tone=tone>{sentence}</Notice>
        <ul class="journal-flaws">{flaws}</ul>
    }
}
