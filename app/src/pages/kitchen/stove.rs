//! What the kitchen screen shows, and what was tapped on it.
//!
//! A tap is shown at once and sent after those before it, one at a time. Until an answer of the server that was asked for later says where
//! things stand, the tap is laid over what the server said last, so that no late answer makes a dish jump back and forth. When another
//! screen was quicker the server refuses (`line_state`) or has nothing to do: the screen is brought up to date and says so calmly.

use crate::browser::clock::{Clock, use_clock};
use crate::browser::live::{Link, Live, use_live};
use crate::browser::sound::{Sound, SoundOf, Tune};
use crate::browser::{Cached, store, use_cached};
use crate::calls;
use crate::components::notice::{Tone, explain};
use crate::components::toast::{Toaster, use_toaster};
use crate::error::CallError;
use crate::i18n::kitchen::t;
use crate::session::{Session, use_session};
use domain::api::{Event, KitchenView, KitchenVoid, SlipMove};
use domain::kitchen::{Board, VOID_SHOWN_MIN, after_slip_move, board, news};
use domain::order::KitchenMove;
use domain::{LineId, OrderId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Under which this device keeps which removals were seen here.
const SEEN: &str = "kitchen-seen";
/// What is new is marked for so long, in milliseconds.
#[cfg(feature = "hydrate")]
const NEW_FOR_MS: u32 = 8_000;

/// One tap on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tap {
    number: u32,
    lines: Vec<LineId>,
    said: KitchenMove,
    /// Of a whole slip; `None`: of its one line.
    slip: Option<(OrderId, u32)>,
    /// The offer to undo it: nothing is to be undone once the server has refused it.
    offer: Option<u32>,
    /// Once the server has taken it: the last question asked before. An answer to a later one knows of it.
    taken_after: Option<u32>,
}

/// The state of the page.
#[derive(Clone, Copy)]
pub(super) struct Stove {
    kitchen: Cached<KitchenView>,
    /// What the server said last, with the taps laid over it.
    pub(super) now: Memo<Option<KitchenView>>,
    /// The same as cards in columns.
    pub(super) board: Memo<Board>,
    /// Lines that are marked as new.
    pub(super) fresh: RwSignal<BTreeSet<LineId>>,
    /// What was new last, in words.
    pub(super) said: RwSignal<String>,
    /// The tones.
    pub(super) sound: Sound,
    /// Whether events arrived here before: only then is their silence worth a word.
    was_online: RwSignal<bool>,
    taps: RwSignal<Vec<Tap>>,
    last_tap: StoredValue<u32>,
    is_sending: StoredValue<bool>,
    /// Screen-local on purpose: each station has to see a removal itself, and the fact in the journal of removals is nobody's to change.
    seen: RwSignal<BTreeSet<i64>>,
    /// How far this device's clock is ahead of the server's, in seconds.
    ahead: RwSignal<Option<i64>>,
    clock: Clock,
    session: Session,
    live: Live,
    toaster: Toaster,
}

impl Stove {
    /// Begins: what this device remembers, then what the server says, then whatever changes.
    pub(super) fn light() -> Self {
        let clock = use_clock();
        let live = use_live();
        let kitchen: Cached<KitchenView> = use_cached("kitchen", calls::kitchen);
        // Whatever concerns the kitchen changes an order.
        kitchen.follow(|event| matches!(event, Event::OrderChanged { .. }));
        let (taps, seen, ahead) = (RwSignal::new(Vec::<Tap>::new()), RwSignal::new(BTreeSet::new()), RwSignal::new(None));
        let now = Memo::new(move |_| {
            let mut view = kitchen.data.get()?;
            taps.with(|taps| taps.iter().for_each(|tap| lay_over(&mut view, tap)));
            Some(view)
        });
        let board = Memo::new(move |_| {
            let minutes = |then: OffsetDateTime| Some((clock.seconds()? - ahead.get()? - then.unix_timestamp()) / 60);
            now.with(|view| {
                let Some(view) = view else { return Board::default() };
                let is_seen = |void: &KitchenVoid| {
                    seen.with(|seen| seen.contains(&void.void_id)) || minutes(void.at).is_some_and(|age| age >= VOID_SHOWN_MIN)
                };
                board(view, is_seen)
            })
        });
        let stove = Self {
            kitchen,
            now,
            board,
            fresh: RwSignal::new(BTreeSet::new()),
            said: RwSignal::new(String::new()),
            sound: Sound::of_this_device(SoundOf::Kitchen),
            was_online: RwSignal::new(false),
            taps,
            last_tap: StoredValue::new(0),
            is_sending: StoredValue::new(false),
            seen,
            ahead,
            clock,
            session: use_session(),
            live,
            toaster: use_toaster(),
        };
        Effect::new(move |before: Option<Option<KitchenView>>| {
            let before = before.flatten();
            let Some(after) = kitchen.data.get() else { return before };
            if let Some(before) = before {
                stove.tell(&before, &after);
            }
            // What is shown may be old, it cannot be of the future: the smallest difference is the clock's.
            let difference = clock.seconds_untracked().map(|now| now - after.at.unix_timestamp());
            ahead.update(|ahead| *ahead = [*ahead, difference].into_iter().flatten().min());
            let shown = kitchen.last_shown();
            taps.update(|taps| taps.retain(|tap| tap.taken_after.is_none_or(|asked| shown <= asked)));
            Some(after)
        });
        Effect::new(move |_| {
            if live.link() == Link::Online {
                stove.was_online.set(true);
            }
        });
        Effect::new(move |_| {
            spawn_local(async move {
                if let Some(known) = store::get_json::<BTreeSet<i64>>(SEEN).await {
                    seen.try_update(|seen| seen.extend(known));
                }
            });
        });
        stove
    }

    /// Whole minutes since then by the server's clock, never negative; `None` before the browser has a time.
    pub(super) fn minutes_since(self, then: OffsetDateTime) -> Option<i64> {
        let now = self.clock.seconds()? - self.ahead.get().unwrap_or(0);
        Some(((now - then.unix_timestamp()) / 60).max(0))
    }

    /// When nothing new arrives: since when, if anything is shown at all.
    pub(super) fn cut_off(self) -> Option<Option<OffsetDateTime>> {
        let link = self.live.link();
        let silent = link == Link::Offline || (link == Link::Reconnecting && self.was_online.get());
        (silent || self.kitchen.is_stale()).then(|| self.kitchen.data.with(|view| view.as_ref().map(|view| view.at)))
    }

    /// Why there is nothing, when there is nothing.
    pub(super) fn failure(self) -> Option<String> {
        self.kitchen.error.with(|error| error.as_ref().map(explain))
    }

    /// Asks the server again.
    pub(super) fn refresh(self) {
        self.kitchen.refresh();
    }

    /// Says where one line stands.
    pub(super) fn move_line(self, line: LineId, said: KitchenMove) {
        self.tap(vec![line], said, None, None);
    }

    /// Says where these lines of a slip stand: those that the person sees.
    pub(super) fn move_slip(self, order: OrderId, round: u32, lines: Vec<LineId>, said: KitchenMove) {
        self.tap(lines, said, Some((order, round)), None);
    }

    /// The same by the button of a whole card, which a hand may hit by mistake: for some seconds it can be undone.
    pub(super) fn bump(self, order: OrderId, round: u32, lines: Vec<LineId>, said: KitchenMove, table: &str) {
        let undone = lines.clone();
        // What was at the pass goes back there, what was on the stove to the stove.
        let back: &[KitchenMove] =
            if said == KitchenMove::Served { &[KitchenMove::Recalled, KitchenMove::Ready] } else { &[KitchenMove::Recalled] };
        let toaster = self.toaster;
        let offer = toaster.offer(t().bumped(table, said), t().undo, move || {
            if self.taps.try_with_untracked(|_| ()).is_some() {
                back.iter().for_each(|said| self.move_slip(order, round, undone.clone(), *said));
            } else {
                spawn_local(undo_from_elsewhere(toaster, order, round, undone.clone(), back));
            }
        });
        self.tap(lines, said, Some((order, round)), Some(offer));
    }

    /// The kitchen has seen these removals, on this screen.
    pub(super) fn see(self, voids: &[i64]) {
        self.seen.update(|seen| seen.extend(voids));
        // What is no longer told of need not be remembered.
        let told: BTreeSet<i64> = self.kitchen.data.with_untracked(|view| {
            view.iter().flat_map(|view| &view.slips).flat_map(|slip| &slip.voids).map(|void| void.void_id).collect()
        });
        let kept: BTreeSet<i64> = self.seen.with_untracked(|seen| seen.intersection(&told).copied().collect());
        spawn_local(store::put_json(SEEN, kept));
    }

    fn tap(self, lines: Vec<LineId>, said: KitchenMove, slip: Option<(OrderId, u32)>, offer: Option<u32>) {
        let number = self.last_tap.try_update_value(|last| {
            *last += 1;
            *last
        });
        let Some(number) = number else { return };
        self.taps.update(|taps| taps.push(Tap { number, lines, said, slip, offer, taken_after: None }));
        if !self.is_sending.get_value() {
            self.is_sending.set_value(true);
            spawn_local(self.send());
        }
    }

    /// Sends what was tapped, in the order of the taps.
    async fn send(self) {
        while let Some(Some(tap)) = self.taps.try_with_untracked(|taps| taps.iter().find(|tap| tap.taken_after.is_none()).cloned()) {
            let answer = match (tap.slip, tap.lines.as_slice()) {
                (None, &[line]) => calls::move_line(line, tap.said).await,
                (None, _) => Ok(()),
                (Some((order, round)), _) => {
                    calls::move_slip(order, round, SlipMove { state: tap.said, line_ids: Some(tap.lines) }).await.map(|_| ())
                }
            };
            self.live.heard_of_call(&answer);
            let asked = self.kitchen.last_asked();
            self.taps.try_update(|taps| match &answer {
                Ok(()) => taps.iter_mut().filter(|other| other.number == tap.number).for_each(|tap| tap.taken_after = Some(asked)),
                Err(_) => taps.retain(|other| other.number != tap.number),
            });
            if let Err(error) = answer {
                if let Some(offer) = tap.offer {
                    self.toaster.withdraw(offer);
                }
                self.explain(&error);
            }
            self.kitchen.refresh();
        }
        self.is_sending.try_set_value(false);
    }

    fn explain(self, error: &CallError) {
        self.session.heed(error);
        match (error, error.code()) {
            (_, Some("line_state" | "not_found")) => self.toaster.say(Tone::Info, t().already_moved),
            (CallError::Unreachable(_), _) => self.toaster.say(Tone::Warning, t().not_noted),
            (error, _) => self.toaster.say(Tone::Bad, explain(error)),
        }
    }

    /// What is new is heard, marked, and said.
    fn tell(self, before: &KitchenView, after: &KitchenView) {
        let news = news(before, after);
        if news.is_empty() {
            return;
        }
        self.said.set(t().news(&news.sent, &news.called, &news.removed));
        // The heaviest news alone: two tunes at once are noise.
        self.sound.play(if !news.removed.is_empty() {
            Tune::Removal
        } else if !news.called.is_empty() {
            Tune::Call
        } else {
            Tune::NewSlip
        });
        self.fresh.update(|fresh| fresh.extend(&news.lines));
        #[cfg(feature = "hydrate")]
        gloo_timers::callback::Timeout::new(NEW_FOR_MS, move || {
            self.fresh.try_update(|fresh| fresh.retain(|line| !news.lines.contains(line)));
        })
        .forget();
    }
}

/// Undoes a bump once the page is left, while the offer is still shown.
async fn undo_from_elsewhere(toaster: Toaster, order: OrderId, round: u32, lines: Vec<LineId>, back: &[KitchenMove]) {
    for said in back {
        if let Err(error) = calls::move_slip(order, round, SlipMove { state: *said, line_ids: Some(lines.clone()) }).await {
            return toaster.say(Tone::Bad, explain(&error));
        }
    }
}

/// The slips after a tap, by the rules that the server uses; what is served goes.
fn lay_over(view: &mut KitchenView, tap: &Tap) {
    let at = view.at;
    for slip in &mut view.slips {
        for line in slip.lines.iter_mut().filter(|line| tap.lines.contains(&line.line_id)) {
            let next = if tap.slip.is_some() { after_slip_move(line.state, tap.said) } else { line.state.after(tap.said) };
            if let Some(next) = next.filter(|next| *next != line.state) {
                line.state = next;
                line.since = at;
            }
        }
    }
}
