//! The house as one signed-in person sees it. The server makes one [`Till`] per request and puts it in context; the calls in
//! [`crate::calls`] ask it. The HTTP routes use the same services behind it.

use async_trait::async_trait;
use domain::api::{
    Bill, CloseDone, CloseRequest, ClosingView, KitchenView, Login, OrderView, PaymentDone, PaymentRequest, Problem, SessionUser,
    SignInName, SplitRequest, TableView, TicketText, VerifyReport,
};
use domain::menu::Menu;
use domain::order::KitchenMove;
use domain::{LineId, OrderId};
use std::sync::Arc;

/// What is put in context.
pub type CurrentTill = Arc<dyn Till>;

/// Everything a page can ask for. Each method checks the person's rights; the refusal is a [`Problem`] in French.
#[async_trait]
pub trait Till: Send + Sync {
    /// Who is signed in on this device; `None` when nobody is.
    fn user(&self) -> Option<SessionUser>;
    /// Whether everything goes to the training chain.
    fn training(&self) -> bool;
    /// The names to choose from on the sign-in page.
    async fn sign_in_names(&self) -> Result<Vec<SignInName>, Problem>;
    /// Signs a person in on this device.
    async fn sign_in(&self, login: Login) -> Result<SessionUser, Problem>;
    /// Signs the person out.
    async fn sign_out(&self) -> Result<(), Problem>;
    /// The plan.
    async fn floor(&self) -> Result<Vec<TableView>, Problem>;
    /// The menu.
    async fn menu(&self) -> Result<Menu, Problem>;
    /// One order.
    async fn order(&self, id: OrderId) -> Result<OrderView, Problem>;
    /// What the kitchen has to do.
    async fn kitchen(&self) -> Result<KitchenView, Problem>;
    /// Says where a line stands.
    async fn move_line(&self, line: LineId, said: KitchenMove) -> Result<(), Problem>;
    /// The bill of an order.
    async fn bill(&self, order: OrderId) -> Result<Bill, Problem>;
    /// Divides what is not paid yet.
    async fn split(&self, order: OrderId, how: SplitRequest) -> Result<Bill, Problem>;
    /// Settles a share.
    async fn pay(&self, payment: PaymentRequest) -> Result<PaymentDone, Problem>;
    /// A ticket as text.
    async fn ticket(&self, no: i64) -> Result<TicketText, Problem>;
    /// What is open and what was closed.
    async fn closing(&self) -> Result<ClosingView, Problem>;
    /// Closes a day.
    async fn close(&self, request: CloseRequest) -> Result<CloseDone, Problem>;
    /// Checks the whole journal.
    async fn verify(&self) -> Result<VerifyReport, Problem>;
}
