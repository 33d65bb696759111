//! Paper.

/// Opens the browser's print dialog; the style sheet leaves only the ticket on the page. Does nothing on the server.
pub fn print_page() {
    #[cfg(feature = "hydrate")]
    let _refused = leptos::prelude::window().print();
}
