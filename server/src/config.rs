//! What the environment may decide.
//!
//! Everything is read once, at the start, into types that cannot be wrong any more. A wrong value stops the start with one line that
//! names the variable: a till that guesses what was meant would be found out in the middle of a service.

mod mail;
mod notifying;
mod printer;
mod terminal;

pub use mail::MailConfig;
pub use notifying::{Escalation, Pulse, PushConfig};
pub use printer::{Flow, Printer, PrinterLine};
pub use terminal::{CaisseApLine, ConcertLine, Framing, Terminal};

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use http::Uri;
use notifying::{parse_escalation, parse_push, parse_secret};
use printer::parse_printer;
use sqlx::postgres::PgConnectOptions;
use terminal::parse_terminal;

use crate::jwt::Secret;
use crate::workers::outbox::Pace;

/// The configuration of one process.
#[derive(Clone)]
pub struct Config {
    /// `COMPTOIR_ADDR`: where to listen. The machine itself unless told otherwise; phones need an address of the local network.
    pub addr: SocketAddr,
    /// `METRICS_ADDR`: where figures and health are shown to whoever reaches it. Without it figures are for this machine only.
    pub metrics_addr: Option<SocketAddr>,
    /// `COMPTOIR_DATA`: everything that must be saved, in one folder.
    pub data: PathBuf,
    /// `DATABASE_URL`: a PostgreSQL kept by somebody else. Without it we keep one ourselves, see [`crate::cluster`].
    pub database: Option<PgConnectOptions>,
    /// `REDIS_URL`: what several processes share. Without it this process is the only one.
    pub redis: Option<redis::ConnectionInfo>,
    /// `FISCAL_KEY_FILE`: the key that signs the journal (PKCS#8 PEM, mode 0600).
    pub fiscal_key_file: PathBuf,
    /// `FISCAL_ANCHORS`: where each closing is written down once more, best on another disk.
    pub fiscal_anchors: PathBuf,
    /// `ESTABLISHMENT_FILE`: who sells, for tickets.
    pub establishment: PathBuf,
    /// `FISCAL_ANCHORS_MAIL`: to whom each closing is mailed. Without it to nobody.
    pub fiscal_anchors_mail: Option<MailConfig>,
    /// `COMPTOIR_TZ`: the zone whose days are the days of service. PostgreSQL knows the zones and has the last word.
    pub time_zone: String,
    /// `COMPTOIR_DEMO`: load the demo restaurant into an empty database.
    pub demo: bool,
    /// `COMPTOIR_TRAINING`, and always with the simulated terminal: record on the training chain, mark everything FORMATION.
    pub training: bool,
    /// `TPE_URL`: the card terminal.
    pub terminal: Terminal,
    /// `PRINTER_URL`: the ticket printer. Without it pages are printed from the browser.
    pub printer: Option<Printer>,
    /// `ERP_URL`: the kitchen system. Without it the built-in kitchen screen is one.
    pub erp: Option<Erp>,
    /// `ERP_JWT_SECRET`: what the kitchen system signs its words with. Without it, it is not listened to.
    pub erp_secret: Option<Secret>,
    /// `READY_COLLEAGUES_S`, `READY_TILL_S`: when others are told of a dish that waits.
    pub escalation: Escalation,
    /// `VAPID_PRIVATE_KEY`, `VAPID_SUBJECT`, `PUSH_SERVICES`: phones that sleep are told through the push services of their browsers. Without a key
    /// they are not.
    pub push: Option<PushConfig>,
    /// How sockets are watched.
    pub pulse: Pulse,
}

/// Only what holds no secret. sqlx shows the password of a database, and so may whatever is added here.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("addr", &self.addr)
            .field("data", &self.data)
            .field("database", &self.database.is_some())
            .field("redis", &self.redis.is_some())
            .field("time_zone", &self.time_zone)
            .field("training", &self.training)
            .field("terminal", &self.terminal.kind())
            .finish_non_exhaustive()
    }
}

/// A kitchen system that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erp {
    /// `ERP_URL` and `/orders`: where slips go.
    pub orders: Uri,
    /// `ERP_WAIT_MS`: how long the answer to an order waits for the kitchen's.
    pub wait: Duration,
    /// `ERP_SEND_DRINKS`: wine and drinks are told too.
    pub with_drinks: bool,
    /// `ERP_CA_FILE`: who vouches for a kitchen system behind `https://`, PEM. Without it, the public authorities.
    pub ca_file: Option<PathBuf>,
    /// How fast it is asked again. The contract fixes it; tests are in a hurry.
    pub pace: Pace,
}

/// A variable whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not usable: {accepted}")]
pub struct ConfigError {
    /// The variable.
    pub name: &'static str,
    /// What it may be.
    pub accepted: String,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first variable that is wrong, and what is accepted. Values are not repeated: they may hold passwords.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(refuse(name, "it must be UTF-8")),
        })
    }

    /// Reads variables from anywhere. An empty one counts as absent, as `docker compose` and `systemd` leave it.
    fn from_lookup(lookup: impl Fn(&'static str) -> Result<Option<String>, ConfigError>) -> Result<Self, ConfigError> {
        let get = |name| lookup(name).map(|value| value.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()));

        let data = get("COMPTOIR_DATA")?.map_or_else(|| PathBuf::from("./data"), PathBuf::from);
        let terminal = get("TPE_URL")?.map_or(Ok(Terminal::Simulator), |url| parse_terminal(&url))?;
        Ok(Self {
            addr: parse(get("COMPTOIR_ADDR")?, "COMPTOIR_ADDR", "give an address and a port, such as 127.0.0.1:3000 or 0.0.0.0:3000")?
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
            metrics_addr: parse(
                get("METRICS_ADDR")?,
                "METRICS_ADDR",
                "give an address and a port, such as 127.0.0.1:9100 or 0.0.0.0:9100",
            )?,
            database: get("DATABASE_URL")?.map(|url| parse_database(&url)).transpose()?,
            redis: parse(get("REDIS_URL")?, "REDIS_URL", "give redis://HOST:6379/0 or unix:///PATH")?,
            fiscal_key_file: get("FISCAL_KEY_FILE")?.map_or_else(|| data.join("fiscal-key.pem"), PathBuf::from),
            establishment: get("ESTABLISHMENT_FILE")?.map_or_else(|| data.join("etablissement.json"), PathBuf::from),
            fiscal_anchors: get("FISCAL_ANCHORS")?.map_or_else(|| data.join("fiscal-anchors.jsonl"), PathBuf::from),
            fiscal_anchors_mail: get("FISCAL_ANCHORS_MAIL")?.map(|text| MailConfig::parse(&text)).transpose()?,
            time_zone: get("COMPTOIR_TZ")?.map_or_else(|| Ok("Europe/Paris".to_owned()), parse_zone)?,
            demo: parse_switch(get("COMPTOIR_DEMO")?, "COMPTOIR_DEMO")?,
            training: parse_switch(get("COMPTOIR_TRAINING")?, "COMPTOIR_TRAINING")? || terminal == Terminal::Simulator,
            terminal,
            printer: get("PRINTER_URL")?.map(|url| parse_printer(&url)).transpose()?,
            erp: parse_erp(get("ERP_URL")?, get("ERP_WAIT_MS")?, get("ERP_SEND_DRINKS")?, get("ERP_CA_FILE")?)?,
            erp_secret: parse_secret(get("ERP_JWT_SECRET")?)?,
            escalation: parse_escalation(get("READY_COLLEAGUES_S")?, get("READY_TILL_S")?)?,
            push: parse_push(get("VAPID_PRIVATE_KEY")?, get("VAPID_SUBJECT")?, get("PUSH_SERVICES")?)?,
            pulse: Pulse::default(),
            data,
        })
    }
}

fn refuse(name: &'static str, accepted: impl Into<String>) -> ConfigError {
    ConfigError { name, accepted: accepted.into() }
}

fn parse<T: FromStr>(value: Option<String>, name: &'static str, accepted: &str) -> Result<Option<T>, ConfigError> {
    value.map(|text| text.parse().map_err(|_| refuse(name, accepted))).transpose()
}

fn parse_switch(value: Option<String>, name: &'static str) -> Result<bool, ConfigError> {
    match value.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(refuse(name, "give 1 (yes) or 0 (no)")),
    }
}

fn parse_database(url: &str) -> Result<PgConnectOptions, ConfigError> {
    let refused = || refuse("DATABASE_URL", "give postgres://USER:PASSWORD@HOST:5432/DATABASE");
    // sqlx would take any scheme, and a MySQL server does not speak its protocol.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(refused());
    }
    url.parse().map_err(|_| refused())
}

/// The waiting and the drinks are checked even where no system is named: a wrong value is a mistake wherever it stands.
fn parse_erp(
    url: Option<String>,
    wait: Option<String>,
    drinks: Option<String>,
    ca_file: Option<String>,
) -> Result<Option<Erp>, ConfigError> {
    const WAIT: &str = "give a number of milliseconds from 0 to 10000";
    let wait = parse(wait, "ERP_WAIT_MS", WAIT)?.unwrap_or(300);
    if wait > 10_000 {
        return Err(refuse("ERP_WAIT_MS", WAIT));
    }
    let with_drinks = parse_switch(drinks, "ERP_SEND_DRINKS")?;
    let Some(url) = url else { return Ok(None) };
    let refused = || refuse("ERP_URL", "give http://HOST:PORT or https://HOST/PATH, without a name, a password or a query");
    let orders: Uri = format!("{}/orders", url.trim_end_matches('/')).parse().map_err(|_| refused())?;
    let is_web = matches!(orders.scheme_str(), Some("http" | "https"));
    let host_only = orders.authority().is_some_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty());
    // What came after a `?` or a `#` would have swallowed the path that was added.
    if !is_web || !host_only || !orders.path().ends_with("/orders") || orders.query().is_some() {
        return Err(refused());
    }
    // Somebody who names who is to vouch means that somebody must.
    if ca_file.is_some() && orders.scheme_str() != Some("https") {
        return Err(refuse("ERP_CA_FILE", "it goes with an ERP_URL that begins with https://"));
    }
    let ca_file = ca_file.map(PathBuf::from);
    Ok(Some(Erp { orders, wait: Duration::from_millis(wait), with_drinks, ca_file, pace: Pace::default() }))
}

/// The shape of an IANA name (`Europe/Paris`, `America/Argentina/Buenos_Aires`, `Etc/GMT+4`, `UTC`).
fn parse_zone(name: String) -> Result<String, ConfigError> {
    let well_formed = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '+'))
    };
    if name.len() <= 64 && name.split('/').all(well_formed) {
        Ok(name)
    } else {
        Err(refuse("COMPTOIR_TZ", "give a zone by its IANA name, such as Europe/Paris or Indian/Reunion"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| Ok(variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())))
    }

    #[test]
    fn nothing_needs_to_be_configured() {
        let config = read(&[]).expect("defaults");
        assert_eq!(config.addr.to_string(), "127.0.0.1:3000");
        assert_eq!(config.data, Path::new("./data"));
        assert_eq!(config.fiscal_key_file, Path::new("./data/fiscal-key.pem"));
        assert_eq!(config.time_zone, "Europe/Paris");
        assert!(config.database.is_none() && config.redis.is_none() && !config.demo);
        assert!(config.training, "the default terminal is simulated");
        assert_eq!(config.erp, None, "the built-in kitchen screen");
        assert_eq!(config.metrics_addr, None, "figures are for this machine");
        assert_eq!(config.printer, None, "the browser prints");
    }

    #[test]
    fn phones_that_sleep_are_told_with_a_key_and_an_address() {
        let key = ("VAPID_PRIVATE_KEY", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let subject = ("VAPID_SUBJECT", "mailto:chef@example.com");
        assert!(read(&[]).expect("defaults").push.is_none());
        let services = ("PUSH_SERVICES", "https://push.example.net:8443, http://127.0.0.1:9000");
        assert!(read(&[key, subject]).expect("good values").push.expect("a key").services.is_empty());
        assert_eq!(read(&[key, subject, services]).expect("good values").push.expect("a key").services.len(), 2);
        assert_eq!(read(&[key]).expect_err("half of it").name, "VAPID_SUBJECT");
        assert_eq!(read(&[subject]).expect_err("half of it").name, "VAPID_PRIVATE_KEY");
    }

    #[test]
    fn dishes_that_wait_are_told_to_others_after_a_while() {
        let after = |variables: &[(&str, &str)]| {
            let Escalation { colleagues, till } = read(variables).expect("good values").escalation;
            (colleagues.map(|after| after.as_secs()), till.map(|after| after.as_secs()))
        };
        assert_eq!(after(&[]), (Some(60), Some(180)));
        assert_eq!(after(&[("READY_COLLEAGUES_S", "300")]), (Some(300), Some(300)), "never before the colleagues");
        assert_eq!(after(&[("READY_COLLEAGUES_S", "0"), ("READY_TILL_S", "20")]), (None, Some(20)));
        assert_eq!(after(&[("READY_COLLEAGUES_S", "0"), ("READY_TILL_S", "0")]), (None, None));
    }

    #[test]
    fn a_kitchen_system_is_named_by_its_address() {
        let erp = read(&[("ERP_URL", "http://kitchen.local:8069/api/")]).expect("good values").erp.expect("a kitchen system");
        assert_eq!(erp.orders.to_string(), "http://kitchen.local:8069/api/orders");
        assert_eq!((erp.wait, erp.with_drinks), (Duration::from_millis(300), false));
        let told = [("ERP_URL", "https://kitchen.example"), ("ERP_WAIT_MS", "0"), ("ERP_SEND_DRINKS", "1")];
        let erp = read(&told).expect("good values").erp.expect("a kitchen system");
        assert_eq!((erp.orders.to_string().as_str(), erp.wait, erp.with_drinks), ("https://kitchen.example/orders", Duration::ZERO, true));
        let erp = read(&[("ERP_URL", "https://kitchen.example"), ("ERP_CA_FILE", "/etc/kitchen.pem")]).expect("good values").erp;
        assert_eq!(erp.expect("a kitchen system").ca_file.as_deref(), Some(Path::new("/etc/kitchen.pem")));
        let refused = read(&[("ERP_URL", "http://kitchen.local"), ("ERP_CA_FILE", "/etc/kitchen.pem")]).expect_err("nothing to vouch for");
        assert_eq!(refused.name, "ERP_CA_FILE");
    }

    #[test]
    fn good_values_are_taken() {
        let config = read(&[
            ("COMPTOIR_ADDR", "[::]:80"),
            ("COMPTOIR_DATA", "/srv/till"),
            ("DATABASE_URL", "postgres://comptoir:secret@db:5433/till"),
            ("REDIS_URL", "redis://cache:6379/1"),
            ("COMPTOIR_TZ", "America/Argentina/Buenos_Aires"),
            ("COMPTOIR_DEMO", "1"),
            ("COMPTOIR_TRAINING", ""),
            ("TPE_URL", " none "),
        ])
        .expect("good values");
        assert_eq!(config.addr.port(), 80);
        assert_eq!(config.fiscal_key_file, Path::new("/srv/till/fiscal-key.pem"), "the key lies with the data unless told otherwise");
        assert_eq!(config.database.expect("a database").get_host(), "db");
        assert_eq!(config.terminal, Terminal::Manual);
        assert!(config.redis.is_some() && config.demo && !config.training);
    }

    #[test]
    fn what_a_configuration_says_of_itself_holds_no_secret() {
        let config = read(&[
            ("DATABASE_URL", "postgres://till:a-secret-word@db/till"),
            ("REDIS_URL", "redis://:a-secret-word@cache"),
            ("ERP_JWT_SECRET", "a-secret-word-of-more-than-32-bytes"),
            ("FISCAL_ANCHORS_MAIL", "smtps://till:a-secret-word@mail.example?from=a@example.fr&to=b@example.fr"),
            ("VAPID_PRIVATE_KEY", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
            ("VAPID_SUBJECT", "mailto:chef@example.com"),
        ])
        .expect("good values");
        let database = format!("{:?}", config.database);
        assert!(database.contains("a-secret-word"), "sqlx shows it: {database}");
        let shown = format!("{config:?} {config:#?}");
        assert!(shown.contains("Europe/Paris"), "{shown}");
        assert!(!shown.contains("a-secret-word") && !shown.contains("yfWPiYE"), "{shown}");
    }

    #[test]
    fn a_simulated_terminal_forces_training() {
        assert!(read(&[("TPE_URL", "simulator:"), ("COMPTOIR_TRAINING", "0")]).expect("good values").training);
        assert!(read(&[("TPE_URL", "none"), ("COMPTOIR_TRAINING", "1")]).expect("good values").training);
    }

    #[test]
    fn a_wrong_value_names_its_variable_and_not_itself() {
        for (name, value) in [
            ("COMPTOIR_ADDR", "localhost"),
            ("COMPTOIR_ADDR", "127.0.0.1:99999"),
            ("METRICS_ADDR", "localhost"),
            ("DATABASE_URL", "mysql://comptoir:secret@db/till"),
            ("DATABASE_URL", "postgres://db:notaport/till"),
            ("REDIS_URL", "memcached://cache"),
            ("COMPTOIR_TZ", "Paris, France"),
            ("COMPTOIR_TZ", "'; drop table audit_logs"),
            ("COMPTOIR_TZ", "../etc/passwd"),
            ("COMPTOIR_DEMO", "true"),
            ("COMPTOIR_TRAINING", "2"),
            ("TPE_URL", "caisse-ap://10.0.0.9:port"),
            ("PRINTER_URL", "10.0.0.7"),
            ("PRINTER_URL", "tcp://10.0.0.7:9100?columns=40"),
            ("ERP_URL", "kitchen.local:8069"),
            ("ERP_URL", "ftp://kitchen.local"),
            ("ERP_URL", "http://till:secret@kitchen.local"),
            ("ERP_URL", "http://kitchen.local/?token=secret"),
            ("ERP_URL", "http://kitchen.local/#top"),
            ("ERP_URL", "https:///kitchen"),
            ("ERP_WAIT_MS", "0.3"),
            ("ERP_WAIT_MS", "10001"),
            ("ERP_WAIT_MS", "-5"),
            ("ERP_SEND_DRINKS", "oui"),
            ("ERP_JWT_SECRET", "thirty-one bytes are one short."),
            ("VAPID_PRIVATE_KEY", "not a key"),
            ("VAPID_SUBJECT", "chef@example.com"),
            ("PUSH_SERVICES", "http://push.example.net"),
            ("PUSH_SERVICES", "https://push.example.net/path"),
            ("PUSH_SERVICES", "https://a@push.example.net"),
            ("READY_COLLEAGUES_S", "3601"),
            ("READY_COLLEAGUES_S", "1.5"),
            ("READY_TILL_S", "-1"),
            ("READY_TILL_S", "59"),
        ] {
            let error = read(&[(name, value)]).expect_err(value);
            assert_eq!(error.name, name);
            let line = error.to_string();
            assert!(line.starts_with(name) && !line.contains(value) && !line.contains('\n'), "{line}");
        }
    }
}
