//! The state of a check or a system (`docs/measurement.md`, "State of a check").

/// What is believed of a check or a system at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It works.
    Up,
    /// It works, slower than its `slow` threshold.
    Slow,
    /// It fails for some vantages, or in a part that is not critical.
    Partial,
    /// It does not work, and that is confirmed.
    Down,
    /// Nothing is known: not measured, or only results that say nothing.
    #[default]
    Unknown,
}

impl State {
    /// Every state, in order.
    pub const ALL: [Self; 5] = [Self::Up, Self::Slow, Self::Partial, Self::Down, Self::Unknown];

    /// The name in metrics, files and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Slow => "slow",
            Self::Partial => "partial",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// The words that people read.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Up => "thông suốt",
            Self::Slow => "chậm",
            Self::Partial => "gián đoạn một phần",
            Self::Down => "gián đoạn",
            Self::Unknown => "không có dữ liệu",
        }
    }
}
