//! Choices that belong to a device and not to who uses it: which room a phone shows, for example. Read at once, so that nothing jumps.

use leptos::prelude::*;

/// What was chosen last on this device under this name. None on the server, and until the page is there.
#[must_use]
pub fn remembered(name: &'static str) -> RwSignal<Option<String>> {
    let chosen = RwSignal::new(None);
    #[cfg(feature = "hydrate")]
    Effect::new(move |is_read: Option<()>| {
        let now = chosen.get();
        let Ok(Some(storage)) = window().local_storage() else { return };
        // A browser that keeps nothing begins anew each time.
        let _kept = match now {
            _ if is_read.is_none() => storage.get_item(name).map(|kept| {
                if kept.is_some() {
                    chosen.set(kept);
                }
            }),
            Some(now) => storage.set_item(name, &now),
            None => storage.remove_item(name),
        };
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = name;
    chosen
}
