//! Where a round belongs that was typed without knowing what others did meanwhile.

use crate::api::SyncRequest;
use crate::order::IfOccupied;
use crate::{OrderId, UserId};

/// An order as the server sees it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenOrder {
    /// The order.
    pub id: OrderId,
    /// Its guests are still there.
    pub is_open: bool,
    /// Who looks after it.
    pub server: UserId,
}

/// What the server knows when a round arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The order that it was meant for, and if that was joined with another, the other.
    pub meant: Option<SeenOrder>,
    /// The open order of the table at which it was typed.
    pub at_table: Option<SeenOrder>,
}

/// Where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It joins this order.
    Join(OrderId),
    /// It opens an order at its table.
    Open,
    /// Somebody else opened that table: a person decides.
    Occupied(OrderId),
    /// Its guests have left; names the order of whoever sits there now. A person decides.
    Closed(Option<OrderId>),
}

/// Judges a round that somebody typed. Guests are followed to where they sit now; an order that was known to be somebody else's is joined,
/// that is how a second waiter helps out; only who did not know of it is asked.
#[must_use]
pub fn judge(request: &SyncRequest, by: UserId, facts: &Facts) -> Ruling {
    match (facts.meant, facts.at_table) {
        (Some(meant), _) if meant.is_open => Ruling::Join(meant.id),
        (Some(_), now) => Ruling::Closed(now.map(|now| now.id)),
        (None, None) => Ruling::Open,
        (None, Some(now)) if now.server == by || request.if_occupied == Some(IfOccupied::Append) => Ruling::Join(now.id),
        (None, Some(now)) => Ruling::Occupied(now.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableId;
    use time::OffsetDateTime;

    fn request(if_occupied: Option<IfOccupied>) -> SyncRequest {
        SyncRequest {
            uuid: None,
            table_id: TableId::from_row(8),
            items: vec![],
            covers: None,
            offline_timestamp: OffsetDateTime::UNIX_EPOCH,
            if_occupied,
            order_id: None,
            after: None,
            total: None,
            resolves: None,
            typed_by: None,
        }
    }

    #[test]
    fn guests_are_followed_and_strangers_are_asked_about() {
        let (alice, bob) = (UserId::from_row(1), UserId::from_row(2));
        let order = |id, is_open, server| Some(SeenOrder { id: OrderId::from_row(id), is_open, server });
        let id = OrderId::from_row;
        for (meant, at_table, said, ruling) in [
            (None, None, None, Ruling::Open),
            (None, order(1, true, alice), None, Ruling::Join(id(1))),
            (None, order(1, true, alice), Some(IfOccupied::Reject), Ruling::Join(id(1))),
            (None, order(1, true, bob), None, Ruling::Occupied(id(1))),
            (None, order(1, true, bob), Some(IfOccupied::Reject), Ruling::Occupied(id(1))),
            (None, order(1, true, bob), Some(IfOccupied::Append), Ruling::Join(id(1))),
            (order(2, true, bob), order(1, true, alice), None, Ruling::Join(id(2))),
            (order(2, true, bob), None, None, Ruling::Join(id(2))),
            (order(2, false, alice), None, None, Ruling::Closed(None)),
            (order(2, false, alice), order(1, true, alice), None, Ruling::Closed(Some(id(1)))),
            (order(2, false, alice), order(1, true, bob), Some(IfOccupied::Append), Ruling::Closed(Some(id(1)))),
        ] {
            assert_eq!(judge(&request(said), alice, &Facts { meant, at_table }), ruling, "{meant:?} {at_table:?} {said:?}");
        }
    }
}
