//! Icons: one stroke, one size, drawn in the colour of the text beside them. They are decoration; the word carries the meaning, so screen
//! readers skip them.

use leptos::prelude::*;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// Floor plan.
    Plan,
    /// Kitchen.
    Flame,
    /// Bill, ticket.
    Receipt,
    /// Closing.
    Lock,
    /// Back.
    Back,
    /// More.
    Plus,
    /// Less.
    Minus,
    /// Done.
    Check,
    /// Done twice: served.
    CheckAll,
    /// Since when.
    Clock,
    /// Ready.
    Bell,
    /// Connected.
    Wifi,
    /// Not connected.
    WifiOff,
    /// Again.
    Refresh,
    /// A person.
    User,
    /// Guests.
    Users,
    /// Sign out.
    Leave,
    /// Search.
    Search,
    /// Note.
    Pencil,
    /// Remove.
    Trash,
    /// Wine.
    Wine,
    /// A dish, a meal.
    Utensils,
    /// Free, nothing yet.
    Circle,
    /// On this phone.
    Phone,
    /// Arrived at the server.
    Inbox,
    /// Send.
    Send,
    /// Close, erase.
    Cross,
    /// Erase one digit.
    Backspace,
    /// Mind this.
    Alert,
    /// Something to know.
    Info,
    /// Open upwards.
    Up,
    /// Fold down.
    Down,
    /// Step back.
    Undo,
    /// Cash.
    Coins,
    /// Card.
    Card,
    /// Printer.
    Printer,
    /// Checked journal.
    Shield,
    /// Divide.
    Split,
    /// It sounds.
    Sound,
    /// It is silent.
    SoundOff,
    /// Step forward again.
    Redo,
    /// One under the other.
    List,
    /// A number to type.
    Keypad,
    /// Lines to stand on.
    Grid,
    /// Turn to the left.
    TurnLeft,
    /// Turn to the right.
    TurnRight,
    /// More about it, more to do.
    More,
    /// Contains allergens.
    Wheat,
    /// Call for a course.
    Call,
    /// Let it wait.
    Pause,
    /// To another place.
    Swap,
    /// Put together.
    Join,
    /// Out.
    Ban,
    /// Off the price.
    Percent,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Plan => "M4 4h7v7H4zM14 4h6v4h-6zM14 12h6v8h-6zM4 15h7v5H4z",
            Self::Flame => "M12 3c1 4 5 5.5 5 10a5 5 0 0 1-10 0c0-2 1-3.2 2-4 .2 1.5 1 2.2 1.8 2.5C10.5 8.5 10.5 5.5 12 3z",
            Self::Receipt => "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
            Self::Lock => "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11M12 15v2",
            Self::Back => "M15 5l-7 7 7 7",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Minus => "M5 12h14",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::CheckAll => "M2.5 12.5L7 17l8.5-9.5M12.5 15.5L14 17l7.5-9.5",
            Self::Clock => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 1.8",
            Self::Bell => "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4M12 3v2",
            Self::Wifi => "M3 9.5a13 13 0 0 1 18 0M6.2 13a8.5 8.5 0 0 1 11.6 0M9.3 16.3a4 4 0 0 1 5.4 0M12 19.5v.1",
            Self::WifiOff => {
                "M4 4l16 16M3 9.5a13 13 0 0 1 4-2.6M11 5.9a13 13 0 0 1 10 3.6M6.2 13a8.5 8.5 0 0 1 4-2.1M9.3 16.3a4 4 0 0 1 5.4 0M12 19.5v.1"
            }
            Self::Refresh => "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.2M20 4.5v4.7h-4.7",
            Self::User => "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.5c.8-3.8 3.7-5.5 7.5-5.5s6.7 1.7 7.5 5.5",
            Self::Users => {
                "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 19.5c.6-3.3 3-5 6.5-5s5.9 1.7 6.5 5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 15c2 .7 3.2 2.2 3.5 4.5"
            }
            Self::Leave => "M14 4H5v16h9M10 12h11M17.5 8.5L21 12l-3.5 3.5",
            Self::Search => "M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM16 16l4.5 4.5",
            Self::Pencil => "M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5",
            Self::Trash => "M5 7h14M9.5 7V4.5h5V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
            Self::Wine => "M7.5 3h9l.5 6a5 5 0 0 1-10 0zM12 14v6.5M8.5 20.5h7M7.2 8.5h9.6",
            Self::Utensils => "M6 3v5a2.5 2.5 0 0 0 5 0V3M8.5 3v18M17.5 21v-7H15c0-5 .5-9.5 2.5-11z",
            Self::Circle => "M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14z",
            Self::Phone => "M7.5 3h9v18h-9zM11 18h2",
            Self::Inbox => "M4 13l2.5-8h11l2.5 8v6H4zM4 13h5l1.5 2.5h3L15 13h5",
            Self::Send => "M4 12L20 4.5 15.5 20l-4-6zM11.5 14L20 4.5",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Backspace => "M8.5 5.5H21v13H8.5L3 12zM11.5 9l6 6M17.5 9l-6 6",
            Self::Alert => "M12 4l9 16H3zM12 10v4.5M12 17.2v.1",
            Self::Info => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8v.1",
            Self::Up => "M5 15l7-7 7 7",
            Self::Down => "M5 9l7 7 7-7",
            Self::Undo => "M8.5 5L4 9.5 8.5 14M4 9.5h9.5a5.5 5.5 0 0 1 0 11H9",
            Self::Coins => {
                "M9 4.5c3 0 5.5 1 5.5 2.5S12 9.5 9 9.5 3.5 8.5 3.5 7 6 4.5 9 4.5zM3.5 7v5c0 1.5 2.5 2.5 5.5 2.5M14.5 7v2M15 11.5c3 0 5.5 1 5.5 2.5s-2.5 2.5-5.5 2.5-5.5-1-5.5-2.5 2.5-2.5 5.5-2.5zM9.5 14v4c0 1.5 2.5 2.5 5.5 2.5s5.5-1 5.5-2.5v-4"
            }
            Self::Card => "M3 6h18v12.5H3zM3 10h18M6.5 15h4",
            Self::Printer => "M7 8.5V3.5h10v5M7 17H4V8.5h16V17h-3M7 14h10v6.5H7z",
            Self::Shield => "M12 3.5l7.5 2.5v6c0 4.5-3.2 7.3-7.5 8.5-4.3-1.2-7.5-4-7.5-8.5V6zM8.5 12l2.5 2.5 4.5-5",
            Self::Split => "M12 21v-7L5 6.5M12 14l7-7.5M5 11V6.5h4.5M14.5 6.5H19V11",
            Self::Sound => "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15 9.5a3.5 3.5 0 0 1 0 5M17.5 6.5a8 8 0 0 1 0 11",
            Self::SoundOff => "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9.5l5 5M20.5 9.5l-5 5",
            Self::Redo => "M15.5 5L20 9.5 15.5 14M20 9.5h-9.5a5.5 5.5 0 0 0 0 11H15",
            Self::List => "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5v.1M4.5 12v.1M4.5 17.5v.1",
            Self::Keypad => "M6 6v.1M12 6v.1M18 6v.1M6 12v.1M12 12v.1M18 12v.1M6 18v.1M12 18v.1M18 18v.1",
            Self::Grid => "M4 4h16v16H4zM4 9.3h16M4 14.7h16M9.3 4v16M14.7 4v16",
            Self::TurnLeft => "M4.5 12a7.5 7.5 0 1 0 2.2-5.3L4 9.2M4 4.5v4.7h4.7",
            Self::TurnRight => "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.2M20 4.5v4.7h-4.7",
            Self::More => "M6 12v.1M12 12v.1M18 12v.1",
            Self::Wheat => {
                "M12 21V9M12 9c-2-1-2-4 0-6 2 2 2 5 0 6zM12 14c-3 .5-5-1-5-4 3-.5 5 1 5 4zM12 14c3 .5 5-1 5-4-3-.5-5 1-5 4zM12 19c-3 .5-5-1-5-4 3-.5 5 1 5 4zM12 19c3 .5 5-1 5-4-3-.5-5 1-5 4z"
            }
            Self::Call => "M4 10v4h3l9 5V5l-9 5zM19 9.5a4 4 0 0 1 0 5M8 14.5l1 5h2.5l-1-3.5",
            Self::Pause => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM10 9v6M14 9v6",
            Self::Swap => "M4 8.5h15M15.5 5l3.5 3.5-3.5 3.5M20 15.5H5M8.5 12L5 15.5 8.5 19",
            Self::Join => "M5 4.5l7 7 7-7M12 11.5V21M8.5 17.5L12 21l3.5-3.5",
            Self::Percent => "M18 6L6 18M7.5 5.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM16.5 14.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
            Self::Ban => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM6.5 6.5l11 11",
        }
    }
}

/// An icon.
#[component]
pub fn Icon(
    /// Which.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}
