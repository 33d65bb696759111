//! What can be sold.

use super::Named;
use crate::http::openapi::shapes::{
    euros, few, flag, id, list, may, moment, must, object, one_of, or_null, percent, request, text, to, uuid, whole, words,
};
use serde_json::json;

pub(super) fn menu() -> Vec<Named> {
    let price = || json!({ "type": "number", "minimum": 0, "maximum": 100_000, "multipleOf": 0.01 });
    let allergens = [
        "gluten",
        "crustaceans",
        "eggs",
        "fish",
        "peanuts",
        "soybeans",
        "milk",
        "nuts",
        "celery",
        "mustard",
        "sesame",
        "sulphites",
        "lupin",
        "molluscs",
    ];
    let glass = object("The same wine by the glass: an article of its own.", [must("id", id()), must("price", euros())]);
    vec![
        ("ItemKind", one_of(&["dish", "wine", "drink", "menu"])),
        ("Allergen", one_of(&allergens)),
        (
            "Pairing",
            object(
                "A wine to suggest.",
                [must("id", id()), must("name", words()), must("price", euros()), must("reason", words()), may("glass", glass)],
            ),
        ),
        (
            "OptionChoice",
            object(
                "An answer, what it adds to the price of one, and which allergens it brings.",
                [must("choice", text(40)), must("price", price()), may("allergens", few(to("Allergen"), 14))],
            ),
        ),
        (
            "OptionGroup",
            object(
                "What is asked when it is ordered.",
                [must("group", text(40)), must("required", flag()), must("choices", list(to("OptionChoice")))],
            ),
        ),
        ("ComponentGroup", object("A choice to make in a formule.", [must("group", text(40)), must("item_ids", list(id()))])),
        (
            "MenuItem",
            object(
                "Something that can be sold.",
                [
                    must("id", id()),
                    must("kind", to("ItemKind")),
                    must("name", words()),
                    must("category", words()),
                    must("price", euros()),
                    must("vat_rate", percent()),
                    must("available", flag()),
                    must("course", whole(0, 9)),
                    must("favourite", flag()),
                    must("detail", or_null(words())),
                    must("wine_pairing", or_null(to("Pairing"))),
                    may("pairings", list(to("Pairing"))),
                    may("options", list(to("OptionGroup"))),
                    may("allergens", list(to("Allergen"))),
                    may("glass_of", id()),
                    may("components", list(to("ComponentGroup"))),
                ],
            ),
        ),
        (
            "Menu",
            object(
                "The menu, in printed order.",
                [must("version", words()), must("items", list(to("MenuItem"))), may("notes", list(words()))],
            ),
        ),
        (
            "Availability",
            request(
                "Whether it can be ordered; out `until` then, or until somebody says so.",
                [must("available", flag()), may("until", or_null(moment()))],
            ),
        ),
        (
            "ItemDraft",
            request(
                "An article as the house describes it.",
                [
                    must("kind", to("ItemKind")),
                    must("name", text(80)),
                    must("category", text(40)),
                    must("price", price()),
                    must("vat_rate", percent()),
                    may("course", whole(0, 9)),
                    may("favourite", flag()),
                    may("detail", or_null(text(140))),
                    may("allergens", few(to("Allergen"), 14)),
                    may("options", few(to("OptionGroup"), 10)),
                    may("glass_of", or_null(id())),
                    may("components", few(to("ComponentGroup"), 10)),
                    may("uuid", or_null(uuid())),
                ],
            ),
        ),
        (
            "PairingDraft",
            request(
                "A wine to suggest; without a rank, its place in the list.",
                [must("wine_id", id()), may("rank", or_null(whole(1, 3))), must("reason", text(140))],
            ),
        ),
        ("PairingSet", object("A wine that the house set.", [must("wine_id", id()), must("rank", whole(1, 3)), must("reason", words())])),
        (
            "ItemView",
            object(
                "An article as whoever keeps the menu sees it.",
                [
                    must("id", id()),
                    must("kind", to("ItemKind")),
                    must("name", words()),
                    must("category", words()),
                    must("price", euros()),
                    must("vat_rate", percent()),
                    must("available", flag()),
                    must("back_at", or_null(moment())),
                    must("course", whole(0, 9)),
                    must("favourite", flag()),
                    must("detail", or_null(words())),
                    must("allergens", list(to("Allergen"))),
                    must("options", list(to("OptionGroup"))),
                    must("glass_of", or_null(id())),
                    must("components", list(to("ComponentGroup"))),
                    must("pairings", list(to("PairingSet"))),
                ],
            ),
        ),
        ("Heading", object("A heading and its wines.", [must("category", words()), must("pairings", list(to("PairingSet")))])),
    ]
}
