//! Short tones for a loud kitchen and a phone in a pocket, made by the browser itself: there is no file to load.
//!
//! Browsers let a page sound only after somebody has touched it. So sound is switched on by a tap and remembered on this device; after a
//! reload it is *asleep* until the next tap anywhere, and the screen says so. A phone takes the sound away again, for a call or when it is
//! locked: what is said is what the browser says at this moment, never what it was asked for.

use leptos::prelude::*;

/// Whether this device sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundState {
    /// Nobody wants it.
    Off,
    /// Wanted; the browser waits for a touch, or took the sound away for a call or a locked screen.
    Asleep,
    /// It sounds.
    On,
}

/// What a cook hears. Different in rhythm, not in pitch alone, so that they are told apart over an extractor hood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tune {
    /// Two notes upwards: something to do.
    NewSlip,
    /// Three quick high notes: the waiter asks for it.
    Call,
    /// Two long notes downwards: stop.
    Removal,
    /// The bell of the pass, twice: a dish is ready.
    Ready,
}

impl Tune {
    /// Frequency in hertz, beginning and length in milliseconds.
    #[cfg(feature = "hydrate")]
    const fn notes(self) -> &'static [(f32, u16, u16)] {
        match self {
            Self::NewSlip => &[(660.0, 0, 160), (880.0, 170, 260)],
            Self::Call => &[(1175.0, 0, 110), (1175.0, 160, 110), (1175.0, 320, 220)],
            Self::Removal => &[(520.0, 0, 300), (330.0, 320, 480)],
            Self::Ready => &[(1568.0, 0, 140), (1568.0, 180, 420)],
        }
    }
}

/// Whose sound it is: each is remembered apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundOf {
    /// A screen at the stove: off until somebody wants it, because one kitchen may have several screens.
    Kitchen,
    /// A waiter's phone: on until somebody does not want it, because a dish gets cold.
    Waiter,
}

impl SoundOf {
    /// Under which the device remembers it.
    #[cfg(feature = "hydrate")]
    const fn stored(self) -> &'static str {
        match self {
            Self::Kitchen => "comptoir-kitchen-sound",
            Self::Waiter => "comptoir-waiter-sound",
        }
    }
}

/// The sound of this page.
#[derive(Debug, Clone, Copy)]
pub struct Sound {
    /// Somebody wants it on this device.
    wanted: RwSignal<bool>,
    /// The browser lets it out now; the same for everything that sounds on this page.
    running: RwSignal<bool>,
    of: SoundOf,
}

impl Sound {
    /// As it was left on this device; wakes up at the first touch. Off on the server, and until the page is there.
    #[must_use]
    pub fn of_this_device(of: SoundOf) -> Self {
        #[cfg(feature = "hydrate")]
        let running = audio::running();
        #[cfg(not(feature = "hydrate"))]
        let running = RwSignal::new(false);
        let sound = Self { wanted: RwSignal::new(false), running, of };
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            sound.wanted.set(audio::is_wanted(of));
            let wake = move || {
                if sound.wanted.try_get_untracked() == Some(true) && !audio::is_running() {
                    audio::open();
                }
            };
            let touched = window_event_listener_untyped("pointerup", move |_| wake());
            let typed = window_event_listener_untyped("keyup", move |_| wake());
            on_cleanup(move || {
                touched.remove();
                typed.remove();
            });
        });
        sound
    }

    /// Whether it sounds.
    #[must_use]
    pub fn state(self) -> SoundState {
        match (self.wanted.get(), self.running.get()) {
            (false, _) => SoundState::Off,
            (true, false) => SoundState::Asleep,
            (true, true) => SoundState::On,
        }
    }

    /// Switches it on, with a tone to hear it by, or off. Called by a tap.
    pub fn toggle(self) {
        #[cfg(feature = "hydrate")]
        {
            let on = !self.wanted.get_untracked();
            audio::want(self.of, on);
            self.wanted.set(on);
            if on {
                audio::open();
            }
            self.play(if self.of == SoundOf::Waiter { Tune::Ready } else { Tune::NewSlip });
        }
    }

    /// Sounds, if it is wanted. What the browser keeps back at this moment is heard if it lets it out soon.
    pub fn play(self, tune: Tune) {
        #[cfg(feature = "hydrate")]
        if self.wanted.get_untracked() {
            audio::play(tune);
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (tune, self.of);
    }
}

#[cfg(feature = "hydrate")]
mod audio {
    use super::{SoundOf, Tune};
    use leptos::prelude::{ArcRwSignal, GetUntracked, RwSignal, Set, document, window};
    use leptos::task::spawn_local;
    use std::cell::{Cell, RefCell};
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::{Closure, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{AudioContext, AudioContextState, OscillatorType, VisibilityState};

    /// Loud enough beside a hood, below what makes small loudspeakers rattle.
    const VOLUME: f32 = 0.4;
    /// What was kept back for longer is no news any more.
    const NEWS_FOR_MS: i64 = 3_000;

    thread_local! {
        static CONTEXT: RefCell<Option<AudioContext>> = const { RefCell::new(None) };
        static RUNNING: ArcRwSignal<bool> = ArcRwSignal::new(false);
        /// What was kept back last, and when.
        static KEPT_BACK: Cell<Option<(Tune, i64)>> = const { Cell::new(None) };
    }

    pub(super) fn is_wanted(of: SoundOf) -> bool {
        let storage = window().local_storage().ok().flatten();
        let stored = storage.and_then(|storage| storage.get_item(of.stored()).ok().flatten());
        stored.map_or(of == SoundOf::Waiter, |stored| stored == "on")
    }

    pub(super) fn want(of: SoundOf, on: bool) {
        if let Ok(Some(storage)) = window().local_storage() {
            // A browser that keeps nothing asks again after the next reload.
            let _kept = storage.set_item(of.stored(), if on { "on" } else { "off" });
        }
    }

    /// Whether anything is heard, for the screen.
    pub(super) fn running() -> RwSignal<bool> {
        RUNNING.with(|running| running.clone().into())
    }

    /// Whether anything is heard at this moment: a call or a locked screen takes the sound away without asking.
    pub(super) fn is_running() -> bool {
        CONTEXT.with_borrow(|context| context.as_ref().is_some_and(|context| context.state() == AudioContextState::Running))
    }

    /// Only after a touch: a browser complains otherwise, and stays silent.
    pub(super) fn open() {
        CONTEXT.with_borrow_mut(|context| {
            if context.is_none() {
                // Without one the screen says that nothing is heard.
                *context = begin().ok();
            }
        });
        resume();
    }

    fn begin() -> Result<AudioContext, JsValue> {
        let context = AudioContext::new()?;
        let changed = Closure::<dyn FnMut()>::new(heed);
        context.set_onstatechange(Some(changed.as_ref().unchecked_ref()));
        document().add_event_listener_with_callback("visibilitychange", changed.as_ref().unchecked_ref())?;
        changed.forget();
        Ok(context)
    }

    /// The browser took the sound away or gave it back, or somebody looks at the page again: what is silent is woken, or said to be silent.
    fn heed() {
        note();
        if !is_running() && document().visibility_state() == VisibilityState::Visible {
            resume();
        }
    }

    /// Asks for the sound. Whether it comes is seen, not promised: the promise may hang until the next touch.
    fn resume() {
        let asked = CONTEXT.with_borrow(|context| context.as_ref().and_then(|context| context.resume().ok()));
        if let Some(asked) = asked {
            spawn_local(async move {
                // Refused, for example during a call: the screen says so.
                let _refused = JsFuture::from(asked).await;
                note();
            });
        }
    }

    fn note() {
        let is_running = is_running();
        RUNNING.with(|running| {
            if running.get_untracked() != is_running {
                running.set(is_running);
            }
        });
        if is_running
            && let Some((tune, at)) = KEPT_BACK.take()
            && now() - at < NEWS_FOR_MS
        {
            sound(tune);
        }
    }

    pub(super) fn play(tune: Tune) {
        if is_running() {
            sound(tune);
        } else {
            KEPT_BACK.set(Some((tune, now())));
            heed();
        }
    }

    fn sound(tune: Tune) {
        // A device without loudspeakers shows the same on its screen.
        let _silent = notes(tune.notes());
    }

    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit in 64 bits")]
    fn now() -> i64 {
        js_sys::Date::now() as i64
    }

    #[expect(clippy::float_arithmetic, reason = "the browser counts its time in fractions of a second")]
    fn notes(notes: &[(f32, u16, u16)]) -> Result<(), JsValue> {
        let Some(context) = CONTEXT.with_borrow(Clone::clone) else { return Ok(()) };
        for &(frequency, begin, length) in notes {
            let begin = context.current_time() + f64::from(begin) / 1000.0;
            let end = begin + f64::from(length) / 1000.0;
            let (tone, volume) = (context.create_oscillator()?, context.create_gain()?);
            tone.set_type(OscillatorType::Triangle);
            tone.frequency().set_value(frequency);
            // Up and down softly: a tone that is cut clicks.
            volume.gain().set_value_at_time(0.0, begin)?;
            volume.gain().linear_ramp_to_value_at_time(VOLUME, begin + 0.02)?;
            volume.gain().linear_ramp_to_value_at_time(0.0, end)?;
            tone.connect_with_audio_node(&volume)?;
            volume.connect_with_audio_node(&context.destination())?;
            tone.start_with_when(begin)?;
            tone.stop_with_when(end)?;
        }
        Ok(())
    }
}
