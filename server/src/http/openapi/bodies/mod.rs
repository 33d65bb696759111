//! What goes over the wire, shape by shape. `request` shapes refuse what they do not know, `object` shapes may grow.

mod house;
mod journal;
mod menu;
mod money;
mod orders;

use serde_json::{Map, Value};

type Named = (&'static str, Value);

/// Every shape by its name.
pub(super) fn bodies() -> Value {
    let all = [
        house::errors(),
        house::people(),
        house::plan(),
        menu::menu(),
        orders::orders(),
        orders::kitchen(),
        orders::phones(),
        money::bill(),
        money::payments(),
        journal::journal(),
        journal::paper(),
    ];
    Value::Object(all.into_iter().flatten().map(|(name, shape)| (name.to_owned(), shape)).collect::<Map<_, _>>())
}
