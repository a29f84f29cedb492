//! What is worth telling, of each system.

/// How loud something is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know: shown, sent to Alertmanager, nobody is called.
    Info,
    /// Somebody in working hours.
    Ticket,
    /// Somebody at once.
    Page,
}

impl Severity {
    /// The name in files, labels and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ticket => "ticket",
            Self::Page => "page",
        }
    }
}

/// What is told of one system. `None` in a severity: nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRules {
    /// A critical check is down.
    pub down: Option<Severity>,
    /// Some lanes of a critical check, or a check that is not critical, are down.
    pub partial: Option<Severity>,
    /// A critical check is slow without a break for [`Self::slow_after_ms`].
    pub slow: Option<Severity>,
    /// How long it must be slow.
    pub slow_after_ms: i64,
    /// The burn-rate rules that page; the others make a ticket.
    pub burn: bool,
    /// Days left on a certificate at which it is told, falling.
    pub certificate_days: Vec<u32>,
    /// With this many days left or fewer it is a page.
    pub certificate_page_days: u32,
    /// Coverage lost: the system's state is unknown.
    pub coverage: Option<Severity>,
    /// For how long within the last [`Self::coverage_window_ms`].
    pub coverage_ppm_min: i64,
    /// The window of coverage.
    pub coverage_window_ms: i64,
    /// The budget of the period is nearly or all used up.
    pub objective: Option<Severity>,
    /// "Nearly": so much is left, in parts per million of the budget.
    pub budget_left_ppm: i64,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            down: Some(Severity::Page),
            partial: Some(Severity::Ticket),
            slow: Some(Severity::Ticket),
            slow_after_ms: 600_000,
            burn: true,
            certificate_days: vec![30, 14, 7, 3, 1],
            certificate_page_days: 1,
            coverage: Some(Severity::Ticket),
            coverage_ppm_min: 900_000,
            coverage_window_ms: 600_000,
            objective: Some(Severity::Ticket),
            budget_left_ppm: 250_000,
        }
    }
}

/// When something that comes and goes is one flapping incident ("chập chờn").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flapping {
    /// It came back so often, at least 2,
    pub times: usize,
    /// within this time.
    pub within_ms: i64,
    /// Then it is over only after so long without a fault.
    pub calm_ms: i64,
}

impl Default for Flapping {
    fn default() -> Self {
        Self { times: 3, within_ms: 3_600_000, calm_ms: 900_000 }
    }
}
