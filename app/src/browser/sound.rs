//! Short tones for a loud kitchen and a phone in a pocket, made by the browser itself: there is no file to load.
//!
//! Browsers let a page sound only after somebody has touched it. So sound is switched on by a tap and remembered on this device; after a
//! reload it is *asleep* until the next tap anywhere, and the screen says so.

use leptos::prelude::*;

/// Whether this device sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundState {
    /// Nobody wants it.
    Off,
    /// Wanted; the browser waits for a touch.
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
    state: RwSignal<SoundState>,
    of: SoundOf,
}

impl Sound {
    /// As it was left on this device; wakes up at the first touch. Off on the server, and until the page is there.
    #[must_use]
    pub fn of_this_device(of: SoundOf) -> Self {
        let sound = Self { state: RwSignal::new(SoundState::Off), of };
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            if audio::is_wanted(of) {
                sound.state.set(if audio::is_open() { SoundState::On } else { SoundState::Asleep });
            }
            let wake = move || {
                if sound.state.try_get_untracked() == Some(SoundState::Asleep) && audio::open() {
                    sound.state.set(SoundState::On);
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
        self.state.get()
    }

    /// Switches it on, with a tone to hear it by, or off. Called by a tap.
    pub fn toggle(self) {
        #[cfg(feature = "hydrate")]
        {
            let on = self.state.get_untracked() == SoundState::Off;
            audio::want(self.of, on);
            self.state.set(if !on {
                SoundState::Off
            } else if audio::open() {
                SoundState::On
            } else {
                SoundState::Asleep
            });
            self.play(if self.of == SoundOf::Waiter { Tune::Ready } else { Tune::NewSlip });
        }
    }

    /// Sounds, if it is on.
    pub fn play(self, tune: Tune) {
        #[cfg(feature = "hydrate")]
        if self.state.get_untracked() == SoundState::On {
            // A device without loudspeakers shows the same on its screen.
            let _silent = audio::play(tune.notes());
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (tune, self.of);
    }
}

#[cfg(feature = "hydrate")]
mod audio {
    use super::SoundOf;
    use leptos::prelude::window;
    use std::cell::RefCell;
    use wasm_bindgen::JsValue;
    use web_sys::{AudioContext, AudioContextState, OscillatorType};

    /// Loud enough beside a hood, below what makes small loudspeakers rattle.
    const VOLUME: f32 = 0.4;

    thread_local! {
        static CONTEXT: RefCell<Option<AudioContext>> = const { RefCell::new(None) };
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

    pub(super) fn is_open() -> bool {
        CONTEXT.with_borrow(|context| context.as_ref().is_some_and(|context| context.state() == AudioContextState::Running))
    }

    /// Only after a touch: a browser complains otherwise, and stays silent.
    pub(super) fn open() -> bool {
        CONTEXT.with_borrow_mut(|context| {
            if context.is_none() {
                *context = AudioContext::new().ok();
            }
            context.as_ref().is_some_and(|context| context.resume().is_ok())
        })
    }

    #[expect(clippy::float_arithmetic, reason = "the browser counts its time in fractions of a second")]
    pub(super) fn play(notes: &[(f32, u16, u16)]) -> Result<(), JsValue> {
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
