//! The typed calls of the pages. JSON in both directions; the path is fixed by name, so that an app installed last week still finds it.
//!
//! What may have to wait for a network (an order) does not go through here but through the versioned HTTP route.

use crate::error::CallError;
use crate::json::Json;
use domain::api::DevicesView;
use domain::api::{
    Availability, Bill, CashMovementDone, CashMovementRequest, CloseDone, CloseRequest, ClosingView, Colleague, CourseCall, CoversRequest,
    DiscountRequest, FloorPlan, HandoverRequest, KitchenView, Login, MergeRequest, MethodChange, MethodChanged, NoteDone, OrderView, Paper,
    PassWaits, PaymentDone, PaymentRequest, PaymentView, PrintDone, PrintRequest, PushSubscription, RefundDone, RefundRequest,
    ResolveRequest, SessionUser, SignInName, SlipMove, SlipMoved, SplitRequest, TableView, TicketText, TransferRequest, VerifyReport,
    VoidRequest,
};
use domain::api::{DecideRequest, MoneyToCheck, NoteRequest, StrayView, TerminalSays};
use domain::menu::Menu;
use domain::order::KitchenMove;
use domain::pass::WaitingDish;
use domain::{ItemId, LineId, OrderId, PaymentId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use time::Date;

/// What every page needs to know first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Who is signed in on this device.
    pub user: Option<SessionUser>,
    /// Whether the till is in training.
    pub training: bool,
    /// What the till's own check found last.
    #[serde(default)]
    pub journal: JournalState,
}

/// What the till's own check of the journal found last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// Nothing.
    #[default]
    Sound,
    /// It did not work to its end, and nothing that it saw was wrong.
    Unchecked,
    /// Something that does not hold.
    Flawed,
}

#[cfg(feature = "ssr")]
fn till() -> Result<crate::ports::CurrentTill, CallError> {
    use_context().ok_or_else(|| CallError::Unreachable("no till in context".to_owned()))
}

#[cfg(feature = "ssr")]
fn answered<T>(answer: Result<T, domain::api::Problem>) -> Result<T, CallError> {
    answer.map_err(CallError::Refused)
}

/// Who is signed in here.
#[server(name = AskWho, prefix = "/call", endpoint = "who", input = Json, output = Json)]
pub async fn who() -> Result<Who, CallError> {
    let till = till()?;
    Ok(Who { user: till.user(), training: till.training(), journal: till.journal() })
}

/// The names to choose from on the sign-in page.
#[server(name = AskSignInNames, prefix = "/call", endpoint = "sign-in-names", input = Json, output = Json)]
pub async fn sign_in_names() -> Result<Vec<SignInName>, CallError> {
    answered(till()?.sign_in_names().await)
}

/// Signs a person in on this device.
#[server(name = SignIn, prefix = "/call", endpoint = "sign-in", input = Json, output = Json)]
pub async fn sign_in(#[doc = "Name and PIN."] login: Login) -> Result<SessionUser, CallError> {
    answered(till()?.sign_in(login).await)
}

/// Signs the person out.
#[server(name = SignOut, prefix = "/call", endpoint = "sign-out", input = Json, output = Json)]
pub async fn sign_out() -> Result<(), CallError> {
    answered(till()?.sign_out().await)
}

/// The plan.
#[server(name = AskFloor, prefix = "/call", endpoint = "floor", input = Json, output = Json)]
pub async fn floor() -> Result<Vec<TableView>, CallError> {
    answered(till()?.floor().await)
}

/// The menu.
///
/// # Errors
/// As of any call.
pub async fn menu() -> Result<Menu, CallError> {
    crate::browser::http::menu().await
}

/// One order.
#[server(name = AskOrder, prefix = "/call", endpoint = "order", input = Json, output = Json)]
pub async fn order(#[doc = "Which."] id: OrderId) -> Result<OrderView, CallError> {
    answered(till()?.order(id).await)
}

/// Takes something off an order.
#[server(name = VoidLine, prefix = "/call", endpoint = "void-line", input = Json, output = Json)]
pub async fn void_line(
    #[doc = "Of which order."] order: OrderId,
    #[doc = "Which line."] line: LineId,
    #[doc = "How many, and why."] request: VoidRequest,
) -> Result<OrderView, CallError> {
    answered(till()?.void_line(order, line, request).await)
}

/// Calls for a course, or lets it wait.
#[server(name = Course, prefix = "/call", endpoint = "course", input = Json, output = Json)]
pub async fn course(
    #[doc = "Of which order."] order: OrderId,
    #[doc = "Which course."] course: u8,
    #[doc = "What to do."] call: CourseCall,
) -> Result<OrderView, CallError> {
    answered(till()?.course(order, course, call).await)
}

/// Moves the guests to a free table.
#[server(name = Transfer, prefix = "/call", endpoint = "transfer", input = Json, output = Json)]
pub async fn transfer(
    #[doc = "Which order."] order: OrderId,
    #[doc = "Where to."] request: TransferRequest,
) -> Result<OrderView, CallError> {
    answered(till()?.transfer(order, request).await)
}

/// Puts two tables together.
#[server(name = Merge, prefix = "/call", endpoint = "merge", input = Json, output = Json)]
pub async fn merge(
    #[doc = "Which order ends."] order: OrderId,
    #[doc = "Which stays."] request: MergeRequest,
) -> Result<OrderView, CallError> {
    answered(till()?.merge(order, request).await)
}

/// Gives a table to somebody else.
#[server(name = HandOver, prefix = "/call", endpoint = "hand-over", input = Json, output = Json)]
pub async fn hand_over(
    #[doc = "Which order."] order: OrderId,
    #[doc = "To whom."] request: HandoverRequest,
) -> Result<OrderView, CallError> {
    answered(till()?.hand_over(order, request).await)
}

/// Corrects how many guests sit there.
#[server(name = SetCovers, prefix = "/call", endpoint = "set-covers", input = Json, output = Json)]
pub async fn set_covers(
    #[doc = "Of which order."] order: OrderId,
    #[doc = "How many."] request: CoversRequest,
) -> Result<OrderView, CallError> {
    answered(till()?.set_covers(order, request).await)
}

/// Says that the guests want to pay, or that they have changed their minds.
#[server(name = AskForBill, prefix = "/call", endpoint = "ask-bill", input = Json, output = Json)]
pub async fn ask_bill(
    #[doc = "Which order."] order: OrderId,
    #[doc = "Whether they want to."] asked: bool,
) -> Result<OrderView, CallError> {
    answered(till()?.ask_bill(order, asked).await)
}

/// Frees the table of guests who owe nothing.
#[server(name = Release, prefix = "/call", endpoint = "release", input = Json, output = Json)]
pub async fn release(#[doc = "Which order."] order: OrderId) -> Result<OrderView, CallError> {
    answered(till()?.release(order).await)
}

/// Who may look after a table.
#[server(name = AskColleagues, prefix = "/call", endpoint = "colleagues", input = Json, output = Json)]
pub async fn colleagues() -> Result<Vec<Colleague>, CallError> {
    answered(till()?.colleagues().await)
}

/// Says whether something can be ordered now.
#[server(name = SetAvailability, prefix = "/call", endpoint = "set-availability", input = Json, output = Json)]
pub async fn set_availability(#[doc = "What."] item: ItemId, #[doc = "Whether."] availability: Availability) -> Result<(), CallError> {
    answered(till()?.set_availability(item, availability).await)
}

/// What the kitchen has to do.
#[server(name = AskKitchen, prefix = "/call", endpoint = "kitchen", input = Json, output = Json)]
pub async fn kitchen() -> Result<KitchenView, CallError> {
    answered(till()?.kitchen().await)
}

/// Dishes at the pass that wait for whoever asks.
#[server(name = AskWaitingDishes, prefix = "/call", endpoint = "waiting-dishes", input = Json, output = Json)]
pub async fn waiting_dishes() -> Result<Vec<WaitingDish>, CallError> {
    answered(till()?.waiting_dishes().await)
}

/// What this browser must know to be told while it sleeps; nothing when this house does not do that.
#[server(name = AskPushKey, prefix = "/call", endpoint = "push-key", input = Json, output = Json)]
pub async fn push_key() -> Result<Option<String>, CallError> {
    answered(till()?.push_key().await)
}

/// Tells this browser while it sleeps, until the person signs out.
#[server(name = SubscribePush, prefix = "/call", endpoint = "push-subscribe", input = Json, output = Json)]
pub async fn push_subscribe(#[doc = "Where it is reached."] subscription: PushSubscription) -> Result<(), CallError> {
    answered(till()?.push_subscribe(subscription).await)
}

/// How long dishes waited at the pass.
#[server(name = AskPassWaits, prefix = "/call", endpoint = "pass-waits", input = Json, output = Json)]
pub async fn pass_waits(#[doc = "On which day of service; today when absent."] day: Option<Date>) -> Result<PassWaits, CallError> {
    answered(till()?.pass_waits(day).await)
}

/// Says where a line stands.
#[server(name = MoveLine, prefix = "/call", endpoint = "move-line", input = Json, output = Json)]
pub async fn move_line(#[doc = "Which."] line: LineId, #[doc = "Where it goes."] said: KitchenMove) -> Result<(), CallError> {
    answered(till()?.move_line(line, said).await)
}

/// Says where a whole slip stands.
#[server(name = MoveSlip, prefix = "/call", endpoint = "move-slip", input = Json, output = Json)]
pub async fn move_slip(
    #[doc = "Of which order."] order: OrderId,
    #[doc = "Which round."] round: u32,
    #[doc = "Where it goes."] wanted: SlipMove,
) -> Result<SlipMoved, CallError> {
    answered(till()?.move_slip(order, round, wanted).await)
}

/// The bill of an order.
#[server(name = AskBill, prefix = "/call", endpoint = "bill", input = Json, output = Json)]
pub async fn bill(#[doc = "Whose."] order: OrderId) -> Result<Bill, CallError> {
    answered(till()?.bill(order).await)
}

/// Divides what is not paid yet.
#[server(name = Split, prefix = "/call", endpoint = "split", input = Json, output = Json)]
pub async fn split(#[doc = "Whose bill."] order: OrderId, #[doc = "Into what."] how: SplitRequest) -> Result<Bill, CallError> {
    answered(till()?.split(order, how).await)
}

/// Takes something off a price.
#[server(name = Discount, prefix = "/call", endpoint = "discount", input = Json, output = Json)]
pub async fn discount(
    #[doc = "Whose bill."] order: OrderId,
    #[doc = "What, and why."] request: DiscountRequest,
) -> Result<Bill, CallError> {
    answered(till()?.discount(order, request).await)
}

/// Settles a share.
#[server(name = Pay, prefix = "/call", endpoint = "pay", input = Json, output = Json)]
pub async fn pay(#[doc = "Which share, and how."] payment: PaymentRequest) -> Result<PaymentDone, CallError> {
    answered(till()?.pay(payment).await)
}

/// Writes a provisional note.
#[server(name = WriteNote, prefix = "/call", endpoint = "note", input = Json, output = Json)]
pub async fn note(
    #[doc = "Of which order."] order: OrderId,
    #[doc = "Under which number."]
    #[server(default)]
    request: NoteRequest,
) -> Result<NoteDone, CallError> {
    answered(till()?.note(order, request).await)
}

/// Gives money back.
#[server(name = Refund, prefix = "/call", endpoint = "refund", input = Json, output = Json)]
pub async fn refund(
    #[doc = "Of which payment."] id: PaymentId,
    #[doc = "What, and why."] request: RefundRequest,
) -> Result<RefundDone, CallError> {
    answered(till()?.refund(id, request).await)
}

/// Corrects the means of a payment.
#[server(name = ChangeMethod, prefix = "/call", endpoint = "change-method", input = Json, output = Json)]
pub async fn change_method(
    #[doc = "Of which payment."] id: PaymentId,
    #[doc = "To what, and why."] request: MethodChange,
) -> Result<MethodChanged, CallError> {
    answered(till()?.change_method(id, request).await)
}

/// A payment, whatever became of it.
#[server(name = AskPayment, prefix = "/call", endpoint = "payment", input = Json, output = Json)]
pub async fn payment(#[doc = "Which."] id: PaymentId) -> Result<PaymentView, CallError> {
    answered(till()?.payment(id).await)
}

/// Says how a payment ended that nobody knew the end of.
#[server(name = Resolve, prefix = "/call", endpoint = "resolve", input = Json, output = Json)]
pub async fn resolve(
    #[doc = "Which."] id: PaymentId,
    #[doc = "What the terminal's ticket says."] request: ResolveRequest,
) -> Result<PaymentView, CallError> {
    answered(till()?.resolve(id, request).await)
}

/// Asks the terminal of a payment that nobody knows the end of for its last ticket.
#[server(name = QueryTerminal, prefix = "/call", endpoint = "query-terminal", input = Json, output = Json)]
pub async fn query_terminal(#[doc = "Of which payment."] id: PaymentId) -> Result<TerminalSays, CallError> {
    answered(till()?.query_terminal(id).await)
}

/// Gives up a payment that was not sent to the terminal yet.
#[server(name = AbortPayment, prefix = "/call", endpoint = "abort-payment", input = Json, output = Json)]
pub async fn abort_payment(#[doc = "Which."] id: PaymentId) -> Result<PaymentView, CallError> {
    answered(till()?.abort_payment(id).await)
}

/// Everything that waits for a person's word.
#[server(name = AskMoneyToCheck, prefix = "/call", endpoint = "money-to-check", input = Json, output = Json)]
pub async fn money_to_check() -> Result<MoneyToCheck, CallError> {
    answered(till()?.money_to_check().await)
}

/// Decides about a terminal that said two things.
#[server(name = Decide, prefix = "/call", endpoint = "decide", input = Json, output = Json)]
pub async fn decide(
    #[doc = "About which payment."] id: PaymentId,
    #[doc = "Which contradiction."] contradiction: i64,
    #[doc = "What, and why."] request: DecideRequest,
) -> Result<PaymentView, CallError> {
    answered(till()?.decide(id, contradiction, request).await)
}

/// Decides about money that no payment explains.
#[server(name = DecideStray, prefix = "/call", endpoint = "decide-stray", input = Json, output = Json)]
pub async fn decide_stray(#[doc = "Which."] stray: i64, #[doc = "What, and why."] request: DecideRequest) -> Result<StrayView, CallError> {
    answered(till()?.decide_stray(stray, request).await)
}

/// A ticket as text.
#[server(name = AskTicket, prefix = "/call", endpoint = "ticket", input = Json, output = Json)]
pub async fn ticket(#[doc = "Its number."] no: i64) -> Result<TicketText, CallError> {
    answered(till()?.ticket(no).await)
}

/// Prints a ticket.
#[server(name = PrintTicket, prefix = "/call", endpoint = "print-ticket", input = Json, output = Json)]
pub async fn print_ticket(#[doc = "Its number."] no: i64, #[doc = "Where."] request: PrintRequest) -> Result<PrintDone, CallError> {
    answered(till()?.print_ticket(no, request).await)
}

/// Says that the guest wants no ticket.
#[server(name = DeclineTicket, prefix = "/call", endpoint = "decline-ticket", input = Json, output = Json)]
pub async fn decline_ticket(#[doc = "Its number."] no: i64) -> Result<(), CallError> {
    answered(till()?.decline_ticket(no).await)
}

/// A closing as a page shows it.
#[server(name = AskClosingPaper, prefix = "/call", endpoint = "closing-paper", input = Json, output = Json)]
pub async fn closing_paper(#[doc = "Its record."] id: i64) -> Result<Paper, CallError> {
    answered(till()?.closing_paper(id).await)
}

/// Prints a closing.
#[server(name = PrintClosing, prefix = "/call", endpoint = "print-closing", input = Json, output = Json)]
pub async fn print_closing(#[doc = "Its record."] id: i64, #[doc = "Where."] request: PrintRequest) -> Result<PrintDone, CallError> {
    answered(till()?.print_closing(id, request).await)
}

/// What is open and what was closed.
#[server(name = AskClosing, prefix = "/call", endpoint = "closing", input = Json, output = Json)]
pub async fn closing() -> Result<ClosingView, CallError> {
    answered(till()?.closing().await)
}

/// Records a movement of cash.
#[server(name = MoveCash, prefix = "/call", endpoint = "move_cash", input = Json, output = Json)]
pub async fn move_cash(#[doc = "What is moved."] request: CashMovementRequest) -> Result<CashMovementDone, CallError> {
    answered(till()?.move_cash(request).await)
}

/// The phones of the house, and what arrived after the day was closed.
#[server(name = AskDevices, prefix = "/call", endpoint = "devices", input = Json, output = Json)]
pub async fn devices() -> Result<DevicesView, CallError> {
    answered(till()?.devices().await)
}

/// The open orders that this person looks after.
#[server(name = AskOwnOrders, prefix = "/call", endpoint = "own-orders", input = Json, output = Json)]
pub async fn own_orders() -> Result<Vec<OrderView>, CallError> {
    answered(till()?.own_orders().await)
}

/// Closes a day.
#[server(name = Close, prefix = "/call", endpoint = "close", input = Json, output = Json)]
pub async fn close(#[doc = "Which day."] request: CloseRequest) -> Result<CloseDone, CallError> {
    answered(till()?.close(request).await)
}

/// Checks the whole journal.
#[server(name = Verify, prefix = "/call", endpoint = "verify", input = Json, output = Json)]
pub async fn verify() -> Result<VerifyReport, CallError> {
    answered(till()?.verify().await)
}

/// The drawing of the house.
#[server(name = AskFloorPlan, prefix = "/call", endpoint = "floor-plan", input = Json, output = Json)]
pub async fn floor_plan() -> Result<FloorPlan, CallError> {
    answered(till()?.floor_plan().await)
}

/// Draws the house anew.
#[server(name = SaveFloorPlan, prefix = "/call", endpoint = "save-floor-plan", input = Json, output = Json)]
pub async fn save_floor_plan(#[doc = "All of it."] plan: FloorPlan) -> Result<FloorPlan, CallError> {
    answered(till()?.save_floor_plan(plan).await)
}
