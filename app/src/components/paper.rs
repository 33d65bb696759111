//! A document on paper: the same rows as the till's printer makes, drawn by the browser, and the buttons that print it.
//!
//! Every print is recorded before it happens. So only a paper that was asked for is printed: a page that is printed by the browser's own menu
//! says how to do it instead.

use crate::browser::live::use_live;
use crate::browser::print::{self, Roll};
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone, explain};
use crate::error::CallError;
use crate::i18n::paper::t;
use crate::session::use_session;
use domain::api::{DrawnCode, Paper, PrintDone, PrintRequest, PrintStatus, PrintTo};
use domain::receipt::{Laid, Line, Row, Size, lay_out};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use uuid::Uuid;

/// The call that prints this document.
pub type PrintCall = Arc<dyn Fn(PrintRequest) -> Pin<Box<dyn Future<Output = Result<PrintDone, CallError>>>> + Send + Sync>;

/// Whoever prints it, the document that is shown.
#[derive(Debug, Clone, Copy)]
pub struct Printable {
    /// What is shown.
    shown: RwSignal<Paper>,
    /// It was recorded, and the browser may print it.
    is_recorded: RwSignal<bool>,
    roll: RwSignal<Roll>,
}

impl Printable {
    /// A document that is looked at.
    #[must_use]
    pub fn looking_at(paper: Paper) -> Self {
        let roll = RwSignal::new(Roll::default());
        // What this device prints on is known in the browser only.
        Effect::new(move |_| roll.set(print::kept_roll()));
        let is_recorded = RwSignal::new(false);
        print::when_printed(move || is_recorded.set(false));
        Self { shown: RwSignal::new(paper), is_recorded, roll }
    }

    /// A document that is still to be asked for, unless it is known already.
    pub fn fetched(paper: Paper, ask: impl Future<Output = Result<Paper, CallError>> + 'static) -> Self {
        let is_known = !paper.lines.is_empty();
        let this = Self::looking_at(paper);
        if !is_known {
            let (session, live) = (use_session(), use_live());
            spawn_local(async move {
                let answer = ask.await;
                live.heard_of_call(&answer);
                match answer {
                    Ok(paper) => {
                        this.shown.try_set(paper);
                    }
                    Err(error) => session.heed(&error),
                }
            });
        }
        this
    }
}

/// The paper itself, the one thing on the page that is printed.
#[component]
pub fn PaperSheet(
    /// The document.
    of: Printable,
    /// Its name for the tests.
    testid: &'static str,
    /// It needs no record: it says itself that it is none.
    #[prop(optional)]
    free: bool,
) -> impl IntoView {
    let t = t();
    let laid =
        Memo::new(move |_| of.shown.with(|paper| lay_out(&without_codes(&paper.lines, paper.code.is_some()), of.roll.get().columns())));
    let pieces = move || {
        let code = of.shown.with(|paper| paper.code.clone());
        laid.get().into_iter().map(|laid| piece(laid, code.as_ref())).collect_view()
    };
    // `@page` has no way to say "as long as it is": the length is that of the rows.
    let page = move || {
        let (roll, code) = (of.roll.get(), of.shown.with(|paper| paper.code.as_ref().map_or(0, |code| code.size)));
        let rows: u32 = laid.with(|laid| laid.iter().map(|laid| if let Laid::Row(row) = laid { rows_of(row.size) } else { 0 }).sum());
        page_rule(roll, rows, code)
    };
    let class = move || if of.roll.get() == Roll::Narrow { "paper is-narrow" } else { "paper" };
    let printable = move || (free || of.is_recorded.get()).then_some("");
    view! {
        <style inner_html=page></style>
        <p class="paper-how">{t.print_with_the_button}</p>
        <div class=class data-printable=printable><pre data-testid=testid>{pieces}</pre></div>
    }
}

/// A code that could not be drawn leaves no hole.
fn without_codes(lines: &[Line], drawn: bool) -> Vec<Line> {
    lines.iter().filter(|line| drawn || !matches!(line, Line::Code { .. })).cloned().collect()
}

const fn rows_of(size: Size) -> u32 {
    match size {
        Size::Normal => 1,
        Size::Tall | Size::Double => 2,
    }
}

/// In hundredths of a millimetre: a row as the style sheet makes it, a code of half a millimetre a module with its white, a margin.
fn page_rule(roll: Roll, rows: u32, code: u32) -> String {
    let code = if code == 0 { 0 } else { (code + 8) * 50 };
    let height = rows * 319 + code + 1400;
    format!("@page {{ size: {}mm {}.{:02}mm; margin: 0; }}", roll.millimetres(), height / 100, height % 100)
}

fn piece(laid: Laid, code: Option<&DrawnCode>) -> AnyView {
    match laid {
        Laid::Row(Row { text, bold, size }) => {
            let size = match size {
                Size::Normal => "",
                Size::Tall => " is-tall",
                Size::Double => " is-double",
            };
            let class = format!("row{}{size}", if bold { " is-bold" } else { "" });
            view! { <span class=class>{format!("{text}\n")}</span> }.into_any()
        }
        Laid::Code(_) => code
            .map(|code| {
                let side = code.size + 8;
                view! {
                    <svg class="paper-code" viewBox=format!("-4 -4 {side} {side}") style=format!("--modules: {side}") aria-hidden="true">
                        <path d=code.path.clone()></path>
                    </svg>
                }
            })
            .into_any(),
        Laid::Cut | Laid::Drawer => ().into_any(),
    }
}

/// Prints the paper: on the till's printer where there is one, or from this browser.
#[component]
pub fn PrintButtons(
    /// The document.
    of: Printable,
    /// How it is asked for.
    call: PrintCall,
    /// Whether the till has a printer.
    has_printer: bool,
) -> impl IntoView {
    let t = t();
    let (session, live) = (use_session(), use_live());
    let asking = RwSignal::new(None::<PrintTo>);
    let outcome = RwSignal::new(None::<Result<PrintDone, CallError>>);
    // Kept while nobody knows what became of it, so that asking again is the same print.
    let uuid = StoredValue::new(None::<Uuid>);
    let ask = move |to: PrintTo| {
        if asking.get_untracked().is_some() {
            return;
        }
        asking.set(Some(to));
        outcome.set(None);
        let request = PrintRequest { to: Some(to), uuid: uuid.try_update_value(|uuid| *uuid.get_or_insert_with(Uuid::now_v7)) };
        let answer = call(request);
        spawn_local(async move {
            let answer = answer.await;
            live.heard_of_call(&answer);
            asking.try_set(None);
            match &answer {
                Ok(done) => {
                    uuid.try_set_value(None);
                    of.shown.try_set(done.paper.clone());
                    if done.status == PrintStatus::Recorded {
                        of.is_recorded.try_set(true);
                        print::print_page_soon();
                    }
                }
                Err(CallError::Unreachable(_)) => {}
                Err(error) => {
                    uuid.try_set_value(None);
                    session.heed(error);
                }
            }
            outcome.try_set(Some(answer));
        });
    };
    let ask = StoredValue::new(ask);
    let press = move |to| move |_: leptos::ev::MouseEvent| ask.with_value(|ask| ask(to));
    let word = move |to, word: &'static str| move || if asking.get() == Some(to) { t.printing } else { word };
    let busy = move || asking.get().is_some();
    let first = if has_printer { PrintTo::Printer } else { PrintTo::Browser };
    view! {
        {move || outcome.get().map(|outcome| view! { <Outcome outcome=outcome/> })}
        <button type="button" class="button primary" data-testid="print" disabled=busy on:click=press(first)>
            <Icon glyph=Glyph::Printer/>{word(first, t.print)}
        </button>
        {has_printer.then(|| view! {
            <button type="button" class="button" data-testid="print-here" disabled=busy on:click=press(PrintTo::Browser)>
                <Icon glyph=Glyph::Printer/>{word(PrintTo::Browser, t.print_here)}
            </button>
        })}
        <RollChoice of=of/>
    }
}

/// The paper of this device.
#[component]
pub fn RollChoice(
    /// The document.
    of: Printable,
) -> impl IntoView {
    let t = t();
    let choice = move |roll: Roll, word: &'static str, name: &'static str| {
        let pressed = move || if of.roll.get() == roll { "true" } else { "false" };
        let choose = move |_| {
            of.roll.set(roll);
            print::keep_roll(roll);
        };
        view! { <button type="button" data-testid=name aria-pressed=pressed on:click=choose>{word}</button> }
    };
    view! {
        <div class="either roll-choice" role="group" aria-label=t.roll>
            {choice(Roll::Wide, t.roll_80, "roll-80")}{choice(Roll::Narrow, t.roll_58, "roll-58")}
        </div>
    }
}

/// What became of it, in words.
#[component]
fn Outcome(outcome: Result<PrintDone, CallError>) -> impl IntoView {
    let t = t();
    let (tone, sentence) = match outcome {
        Ok(done) => {
            let which = t.which_print(done.print_no);
            let detail = done.detail.unwrap_or_default();
            match done.status {
                PrintStatus::Printed => (Tone::Good, format!("{} · {which}.", t.printed)),
                PrintStatus::Recorded => (Tone::Good, format!("{} · {which}.", t.print_recorded)),
                PrintStatus::Waiting => (Tone::Warning, format!("{detail} {}", t.print_waits)),
                PrintStatus::NotPrinted => (Tone::Bad, format!("{detail} {}", t.not_printed)),
                PrintStatus::Doubtful => (Tone::Bad, format!("{detail} {}", t.print_doubtful)),
            }
        }
        Err(error @ CallError::Unreachable(_)) => (Tone::Bad, format!("{} {}", explain(&error), t.print_unanswered)),
        Err(error) => (Tone::Bad, explain(&error)),
    };
    view! { <div class="print-outcome" data-testid="print-outcome" role="status"><Notice tone=tone>{sentence}</Notice></div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_as_long_as_its_rows() {
        assert_eq!(page_rule(Roll::Wide, 50, 73), "@page { size: 80mm 214.00mm; margin: 0; }");
        assert_eq!(page_rule(Roll::Narrow, 1, 0), "@page { size: 58mm 17.19mm; margin: 0; }");
    }
}
