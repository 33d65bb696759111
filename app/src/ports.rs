//! The house as one signed-in person sees it. The server makes one [`Till`] per request and puts it in context; the calls in
//! [`crate::calls`] ask it. The HTTP routes use the same services behind it.

use crate::calls::JournalState;
use async_trait::async_trait;
use domain::api::DevicesView;
use domain::api::{
    Availability, Bill, CashMovementDone, CashMovementRequest, CloseDone, CloseRequest, ClosingView, Colleague, CourseCall, CoversRequest,
    DiscountRequest, FloorPlan, HandoverRequest, KitchenView, Login, MergeRequest, MethodChange, MethodChanged, NoteDone, OrderView, Paper,
    PassWaits, PaymentDone, PaymentRequest, PaymentView, PrintDone, PrintRequest, Problem, PushSubscription, RefundDone, RefundRequest,
    ResolveRequest, SessionUser, SignInName, SlipMove, SlipMoved, SplitRequest, TableView, TicketText, TransferRequest, VerifyReport,
    VoidRequest,
};
use domain::api::{DecideRequest, MoneyToCheck, NoteRequest, StrayView, TerminalSays};
use domain::order::KitchenMove;
use domain::pass::WaitingDish;
use domain::{ItemId, LineId, OrderId, PaymentId};
use std::sync::Arc;
use time::Date;

/// What is put in context.
pub type CurrentTill = Arc<dyn Till>;

/// Everything a page can ask for. Each method checks the person's rights; the refusal is a [`Problem`] in French.
#[async_trait]
pub trait Till: Send + Sync {
    /// Who is signed in on this device; `None` when nobody is.
    fn user(&self) -> Option<SessionUser>;
    /// Whether everything goes to the training chain.
    fn training(&self) -> bool;
    /// What the till's own check found last.
    fn journal(&self) -> JournalState;
    /// The names to choose from on the sign-in page.
    async fn sign_in_names(&self) -> Result<Vec<SignInName>, Problem>;
    /// Signs a person in on this device.
    async fn sign_in(&self, login: Login) -> Result<SessionUser, Problem>;
    /// Signs the person out.
    async fn sign_out(&self) -> Result<(), Problem>;
    /// The plan.
    async fn floor(&self) -> Result<Vec<TableView>, Problem>;
    /// One order.
    async fn order(&self, id: OrderId) -> Result<OrderView, Problem>;
    /// Takes something off an order.
    async fn void_line(&self, order: OrderId, line: LineId, request: VoidRequest) -> Result<OrderView, Problem>;
    /// Calls for a course, or lets it wait.
    async fn course(&self, order: OrderId, course: u8, call: CourseCall) -> Result<OrderView, Problem>;
    /// Moves the guests to a free table.
    async fn transfer(&self, order: OrderId, request: TransferRequest) -> Result<OrderView, Problem>;
    /// Puts two tables together.
    async fn merge(&self, order: OrderId, request: MergeRequest) -> Result<OrderView, Problem>;
    /// Gives a table to somebody else.
    async fn hand_over(&self, order: OrderId, request: HandoverRequest) -> Result<OrderView, Problem>;
    /// Corrects how many guests sit there.
    async fn set_covers(&self, order: OrderId, request: CoversRequest) -> Result<OrderView, Problem>;
    /// Says that the guests want to pay, or that they have changed their minds.
    async fn ask_bill(&self, order: OrderId, asked: bool) -> Result<OrderView, Problem>;
    /// Frees the table of guests who owe nothing.
    async fn release(&self, order: OrderId) -> Result<OrderView, Problem>;
    /// Who may look after a table.
    async fn colleagues(&self) -> Result<Vec<Colleague>, Problem>;
    /// Says whether something can be ordered now.
    async fn set_availability(&self, item: ItemId, availability: Availability) -> Result<(), Problem>;
    /// What the kitchen has to do.
    async fn kitchen(&self) -> Result<KitchenView, Problem>;
    /// Dishes at the pass that wait for this person.
    async fn waiting_dishes(&self) -> Result<Vec<WaitingDish>, Problem>;
    /// What a browser must know to be told while it sleeps.
    async fn push_key(&self) -> Result<Option<String>, Problem>;
    /// Tells this browser while it sleeps, as long as the session lasts.
    async fn push_subscribe(&self, subscription: PushSubscription) -> Result<(), Problem>;
    /// How long dishes waited at the pass, on a day of service or today.
    async fn pass_waits(&self, day: Option<Date>) -> Result<PassWaits, Problem>;
    /// Says where a line stands.
    async fn move_line(&self, line: LineId, said: KitchenMove) -> Result<(), Problem>;
    /// Says where a whole slip stands.
    async fn move_slip(&self, order: OrderId, round: u32, wanted: SlipMove) -> Result<SlipMoved, Problem>;
    /// The bill of an order.
    async fn bill(&self, order: OrderId) -> Result<Bill, Problem>;
    /// Divides what is not paid yet.
    async fn split(&self, order: OrderId, how: SplitRequest) -> Result<Bill, Problem>;
    /// Takes something off a price.
    async fn discount(&self, order: OrderId, request: DiscountRequest) -> Result<Bill, Problem>;
    /// Settles a share.
    async fn pay(&self, payment: PaymentRequest) -> Result<PaymentDone, Problem>;
    /// Writes a provisional note.
    async fn note(&self, order: OrderId, request: NoteRequest) -> Result<NoteDone, Problem>;
    /// Gives money back.
    async fn refund(&self, id: PaymentId, request: RefundRequest) -> Result<RefundDone, Problem>;
    /// Corrects the means of a payment.
    async fn change_method(&self, id: PaymentId, request: MethodChange) -> Result<MethodChanged, Problem>;
    /// A payment, whatever became of it.
    async fn payment(&self, id: PaymentId) -> Result<PaymentView, Problem>;
    /// Says how a payment ended that nobody knew the end of.
    async fn resolve(&self, id: PaymentId, request: ResolveRequest) -> Result<PaymentView, Problem>;
    /// Asks the terminal of a payment for its last ticket.
    async fn query_terminal(&self, id: PaymentId) -> Result<TerminalSays, Problem>;
    /// Gives up a payment that was not sent yet.
    async fn abort_payment(&self, id: PaymentId) -> Result<PaymentView, Problem>;
    /// Everything that waits for a person's word.
    async fn money_to_check(&self) -> Result<MoneyToCheck, Problem>;
    /// Decides about a terminal that said two things.
    async fn decide(&self, id: PaymentId, contradiction: i64, request: DecideRequest) -> Result<PaymentView, Problem>;
    /// Decides about money that no payment explains.
    async fn decide_stray(&self, stray: i64, request: DecideRequest) -> Result<StrayView, Problem>;
    /// A ticket as text.
    async fn ticket(&self, no: i64) -> Result<TicketText, Problem>;
    /// Prints a ticket.
    async fn print_ticket(&self, no: i64, request: PrintRequest) -> Result<PrintDone, Problem>;
    /// The guest wants no paper.
    async fn decline_ticket(&self, no: i64) -> Result<(), Problem>;
    /// A closing as a page shows it.
    async fn closing_paper(&self, id: i64) -> Result<Paper, Problem>;
    /// Prints a closing.
    async fn print_closing(&self, id: i64, request: PrintRequest) -> Result<PrintDone, Problem>;
    /// What is open and what was closed.
    async fn closing(&self) -> Result<ClosingView, Problem>;
    /// The phones of the house, and what arrived after the day was closed.
    async fn devices(&self) -> Result<DevicesView, Problem>;
    /// The open orders that this person looks after.
    async fn own_orders(&self) -> Result<Vec<OrderView>, Problem>;
    /// Closes a day.
    async fn close(&self, request: CloseRequest) -> Result<CloseDone, Problem>;
    /// Records a movement of cash.
    async fn move_cash(&self, request: CashMovementRequest) -> Result<CashMovementDone, Problem>;
    /// Checks the whole journal.
    async fn verify(&self) -> Result<VerifyReport, Problem>;
    /// The drawing of the house.
    async fn floor_plan(&self) -> Result<FloorPlan, Problem>;
    /// Draws the house anew.
    async fn save_floor_plan(&self, plan: FloorPlan) -> Result<FloorPlan, Problem>;
}
