//! Where a round belongs that was typed without knowing what others did meanwhile.

use crate::api::SyncRequest;
use crate::order::IfOccupied;
use crate::{OrderId, UserId};
use time::{Duration, OffsetDateTime};

/// So long after it was typed an order counts as typed in touch with the house: a little more than it takes a phone to notice that the network
/// is silent. See [`SyncRequest::append_until`].
pub const IN_TOUCH: Duration = Duration::seconds(10);

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
/// that is how a second waiter helps out; only who did not know of it is asked. `at` is when it arrived.
#[must_use]
pub fn judge(request: &SyncRequest, by: UserId, facts: &Facts, at: OffsetDateTime) -> Ruling {
    match (facts.meant, facts.at_table) {
        (Some(meant), _) if meant.is_open => Ruling::Join(meant.id),
        (Some(_), now) => Ruling::Closed(now.map(|now| now.id)),
        (None, None) => Ruling::Open,
        (None, Some(now)) if now.server == by || appends(request, at) => Ruling::Join(now.id),
        (None, Some(now)) => Ruling::Occupied(now.id),
    }
}

/// Whether whoever typed it wants it to join what somebody else opened. What was said in touch with the house holds for a moment: an order
/// that was held up on its way is as one typed without a network.
#[must_use]
pub fn appends(request: &SyncRequest, at: OffsetDateTime) -> bool {
    request.if_occupied == Some(IfOccupied::Append) && request.append_until.is_none_or(|until| at <= until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableId;
    use proptest::prelude::*;

    fn request(if_occupied: Option<IfOccupied>) -> SyncRequest {
        SyncRequest {
            uuid: None,
            table_id: TableId::from_row(8),
            items: vec![],
            covers: None,
            offline_timestamp: OffsetDateTime::UNIX_EPOCH,
            if_occupied,
            append_until: None,
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
            assert_eq!(
                judge(&request(said), alice, &Facts { meant, at_table }, OffsetDateTime::UNIX_EPOCH),
                ruling,
                "{meant:?} {at_table:?} {said:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_was_typed_in_touch_joins_strangers_only_as_long_as_that_may_be_true(late in -100i64..100, said: bool, own: bool) {
            let (alice, bob) = (UserId::from_row(1), UserId::from_row(2));
            let until = OffsetDateTime::UNIX_EPOCH + IN_TOUCH;
            let request = SyncRequest { append_until: Some(until), ..request(said.then_some(IfOccupied::Append)) };
            let there = SeenOrder { id: OrderId::from_row(1), is_open: true, server: if own { alice } else { bob } };
            let ruling = |facts| judge(&request, alice, &facts, until + Duration::seconds(late));
            let at_table = ruling(Facts { meant: None, at_table: Some(there) });
            let joins = own || (said && late <= 0);
            prop_assert_eq!(at_table, if joins { Ruling::Join(there.id) } else { Ruling::Occupied(there.id) });
            prop_assert_eq!(ruling(Facts { meant: Some(there), at_table: None }), Ruling::Join(there.id), "guests are followed, however late");
            prop_assert_eq!(ruling(Facts::default()), Ruling::Open, "a free table is free");
        }
    }
}
