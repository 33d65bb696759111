//! The house as one signed-in person sees it: what the pages' calls and the rendering of pages ask.
//!
//! One is made per request. It checks the person's rights and calls the same services as the routes.

use super::peer::Peer;
use super::{auth, guard};
use crate::db;
use crate::error::{Error, Result};
use crate::services::{
    amending, billing, cash, closing, correcting, discounting, doubts, floor, kitchen, menu, notifying, noting, ordering, paying, printing,
    pushing, querying, resolving, self_check, syncing, verifying,
};
use crate::session_store;
use crate::state::Shared;
use app::calls::JournalState;
use app::ports::Till;
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
use domain::role::Right;
use domain::{ItemId, LineId, OrderId, PaymentId};
use time::Date;
use tower_sessions::Session;

/// See the module.
pub struct RequestTill {
    house: Shared,
    session: Session,
    peer: Peer,
    user: Option<SessionUser>,
}

impl RequestTill {
    /// Reads who is signed in with this session.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn new(house: Shared, session: Session, peer: Peer) -> Result<Self> {
        let user = guard::current_user(&session).await?;
        Ok(Self { house, session, peer, user })
    }

    fn allowed(&self, right: Right) -> Result<&SessionUser> {
        let user = self.user.as_ref().ok_or(Error::NotSignedIn)?;
        if user.role.may(right) { Ok(user) } else { Err(Error::Forbidden) }
    }
}

#[async_trait]
impl Till for RequestTill {
    fn user(&self) -> Option<SessionUser> {
        self.user.clone()
    }

    fn training(&self) -> bool {
        self.house.training
    }

    fn journal(&self) -> JournalState {
        let flaws = self.house.integrity.flaws();
        match (flaws.is_empty(), self_check::prove_something(&flaws)) {
            (true, _) => JournalState::Sound,
            (false, false) => JournalState::Unchecked,
            (false, true) => JournalState::Flawed,
        }
    }

    async fn sign_in_names(&self) -> Result<Vec<SignInName>, Problem> {
        Ok(db::users::sign_in_names(&self.house.db).await?)
    }

    async fn sign_in(&self, login: Login) -> Result<SessionUser, Problem> {
        Ok(auth::open_session(&self.house, &self.session, &self.peer, &login).await?)
    }

    async fn sign_out(&self) -> Result<(), Problem> {
        Ok(auth::close_session(&self.session).await?)
    }

    async fn floor(&self) -> Result<Vec<TableView>, Problem> {
        self.user.as_ref().ok_or(Error::NotSignedIn)?;
        Ok(floor::plan(&self.house).await?)
    }

    async fn order(&self, id: OrderId) -> Result<OrderView, Problem> {
        self.allowed(Right::TakeOrders)?;
        Ok(ordering::whole(&self.house, id).await?)
    }

    async fn void_line(&self, order: OrderId, line: LineId, request: VoidRequest) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::void_line(&self.house, user, order, line, &request).await?.value)
    }

    async fn course(&self, order: OrderId, course: u8, call: CourseCall) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::course(&self.house, user, order, course, call, None).await?.value)
    }

    async fn transfer(&self, order: OrderId, request: TransferRequest) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::transfer(&self.house, user, order, &request).await?.value)
    }

    async fn merge(&self, order: OrderId, request: MergeRequest) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::merge(&self.house, user, order, &request).await?.value)
    }

    async fn hand_over(&self, order: OrderId, request: HandoverRequest) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::hand_over(&self.house, user, order, &request).await?.value)
    }

    async fn set_covers(&self, order: OrderId, request: CoversRequest) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::set_covers(&self.house, user, order, &request).await?.value)
    }

    async fn ask_bill(&self, order: OrderId, asked: bool) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::ask_bill(&self.house, user, order, asked).await?)
    }

    async fn release(&self, order: OrderId) -> Result<OrderView, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(amending::release(&self.house, user, order, None).await?.value)
    }

    async fn colleagues(&self) -> Result<Vec<Colleague>, Problem> {
        self.allowed(Right::TakeOrders)?;
        Ok(amending::colleagues(&self.house).await?)
    }

    async fn set_availability(&self, item: ItemId, availability: Availability) -> Result<(), Problem> {
        self.allowed(Right::TakeOrders)?;
        Ok(menu::set_availability(&self.house, item, &availability).await?)
    }

    async fn kitchen(&self) -> Result<KitchenView, Problem> {
        self.allowed(Right::TakeOrders)?;
        Ok(kitchen::view(&self.house).await?)
    }

    async fn waiting_dishes(&self) -> Result<Vec<WaitingDish>, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(notifying::waiting_for(&self.house, user).await?)
    }

    async fn push_key(&self) -> Result<Option<String>, Problem> {
        self.allowed(Right::TakeOrders)?;
        Ok(pushing::public_key(&self.house))
    }

    async fn push_subscribe(&self, subscription: PushSubscription) -> Result<(), Problem> {
        self.allowed(Right::TakeOrders)?;
        let session = session_store::name_of(&self.session).ok_or(Error::NotSignedIn)?;
        Ok(pushing::subscribe(&self.house, &session, &subscription).await?)
    }

    async fn pass_waits(&self, day: Option<Date>) -> Result<PassWaits, Problem> {
        self.allowed(Right::Administer)?;
        Ok(notifying::waits(&self.house, day).await?)
    }

    async fn move_line(&self, line: LineId, said: KitchenMove) -> Result<(), Problem> {
        self.allowed(Right::TakeOrders)?;
        kitchen::move_line(&self.house, line, said).await?;
        Ok(())
    }

    async fn move_slip(&self, order: OrderId, round: u32, wanted: SlipMove) -> Result<SlipMoved, Problem> {
        self.allowed(Right::TakeOrders)?;
        Ok(kitchen::move_slip(&self.house, order, round, &wanted).await?)
    }

    async fn bill(&self, order: OrderId) -> Result<Bill, Problem> {
        self.allowed(Right::TakeOrders)?;
        Ok(billing::bill(&self.house, order).await?)
    }

    async fn split(&self, order: OrderId, how: SplitRequest) -> Result<Bill, Problem> {
        self.allowed(Right::HandleMoney)?;
        Ok(billing::split(&self.house, order, &how).await?)
    }

    async fn discount(&self, order: OrderId, request: DiscountRequest) -> Result<Bill, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        discounting::discount(&self.house, user, order, &request).await?;
        Ok(billing::bill(&self.house, order).await?)
    }

    async fn pay(&self, payment: PaymentRequest) -> Result<PaymentDone, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(paying::pay(&self.house, user, &payment).await?.value)
    }

    async fn note(&self, order: OrderId, request: NoteRequest) -> Result<NoteDone, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(noting::note(&self.house, user, order, &request).await?.value)
    }

    async fn refund(&self, id: PaymentId, request: RefundRequest) -> Result<RefundDone, Problem> {
        let user = self.allowed(Right::Administer)?;
        Ok(correcting::refund(&self.house, user, id, &request).await?.value)
    }

    async fn change_method(&self, id: PaymentId, request: MethodChange) -> Result<MethodChanged, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(correcting::change_method(&self.house, user, id, &request).await?.value)
    }

    async fn payment(&self, id: PaymentId) -> Result<PaymentView, Problem> {
        self.allowed(Right::HandleMoney)?;
        Ok(resolving::view(&self.house, id).await?)
    }

    async fn resolve(&self, id: PaymentId, request: ResolveRequest) -> Result<PaymentView, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(resolving::resolve(&self.house, user, id, &request).await?)
    }

    async fn query_terminal(&self, id: PaymentId) -> Result<TerminalSays, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(querying::query(&self.house, user, id).await?)
    }

    async fn abort_payment(&self, id: PaymentId) -> Result<PaymentView, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(querying::abort(&self.house, user, id).await?)
    }

    async fn money_to_check(&self) -> Result<MoneyToCheck, Problem> {
        self.allowed(Right::HandleMoney)?;
        Ok(doubts::to_check(&self.house).await?)
    }

    async fn decide(&self, id: PaymentId, contradiction: i64, request: DecideRequest) -> Result<PaymentView, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(resolving::decide(&self.house, user, id, contradiction, &request).await?)
    }

    async fn decide_stray(&self, stray: i64, request: DecideRequest) -> Result<StrayView, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(doubts::decide_stray(&self.house, user, stray, &request).await?)
    }

    async fn ticket(&self, no: i64) -> Result<TicketText, Problem> {
        self.allowed(Right::HandleMoney)?;
        Ok(printing::ticket(&self.house, no).await?)
    }

    async fn print_ticket(&self, no: i64, request: PrintRequest) -> Result<PrintDone, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(printing::print_ticket(&self.house, user, no, &request).await?)
    }

    async fn decline_ticket(&self, no: i64) -> Result<(), Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(printing::decline(&self.house, user, no).await?)
    }

    async fn closing_paper(&self, id: i64) -> Result<Paper, Problem> {
        self.allowed(Right::HandleMoney)?;
        Ok(printing::closing_paper(&self.house, id).await?)
    }

    async fn print_closing(&self, id: i64, request: PrintRequest) -> Result<PrintDone, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(printing::print_closing(&self.house, user, id, &request).await?)
    }

    async fn closing(&self) -> Result<ClosingView, Problem> {
        self.allowed(Right::HandleMoney)?;
        Ok(closing::view(&self.house).await?)
    }

    async fn move_cash(&self, request: CashMovementRequest) -> Result<CashMovementDone, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(cash::move_cash(&self.house, user, &request).await?.value)
    }

    async fn devices(&self) -> Result<DevicesView, Problem> {
        self.allowed(Right::HandleMoney)?;
        Ok(syncing::devices(&self.house).await?)
    }

    async fn own_orders(&self) -> Result<Vec<OrderView>, Problem> {
        let user = self.allowed(Right::TakeOrders)?;
        Ok(ordering::own(&self.house, user.id).await?)
    }

    async fn close(&self, request: CloseRequest) -> Result<CloseDone, Problem> {
        let user = self.allowed(Right::HandleMoney)?;
        Ok(closing::close(&self.house, user, &request).await?)
    }

    async fn verify(&self) -> Result<VerifyReport, Problem> {
        self.allowed(Right::VerifyJournal)?;
        Ok(verifying::verify_asked(&self.house).await?)
    }

    async fn floor_plan(&self) -> Result<FloorPlan, Problem> {
        self.allowed(Right::Administer)?;
        Ok(floor::drawing(&self.house).await?)
    }

    async fn save_floor_plan(&self, plan: FloorPlan) -> Result<FloorPlan, Problem> {
        let user = self.allowed(Right::Administer)?;
        Ok(floor::redraw(&self.house, user, plan).await?)
    }
}
