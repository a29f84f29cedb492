//! The eight outcomes of a run (`docs/measurement.md`, "Words").

/// What a run says about its target. Ordered from best to worst testimony;
/// of two results that start in the same millisecond the worse counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Our own side failed, or nothing was measured: says nothing.
    Void,
    /// A firewall, captcha or rate limit answered instead of the service: says nothing.
    Blocked,
    /// Answered in time, every expectation held.
    Ok,
    /// Every expectation held, slower than the check's `slow` threshold.
    Slow,
    /// It answered, but its data is too old or disagrees with its source.
    Stale,
    /// It answered, and broke an expectation.
    Error,
    /// It took the connection and did not finish within the timeout.
    Hang,
    /// No usable connection.
    Unreachable,
}

/// What an outcome counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Testimony {
    /// The service did its work.
    Good,
    /// The service did not.
    Bad,
}

impl Outcome {
    /// Every outcome, in order.
    pub const ALL: [Self; 8] = [
        Self::Void,
        Self::Blocked,
        Self::Ok,
        Self::Slow,
        Self::Stale,
        Self::Error,
        Self::Hang,
        Self::Unreachable,
    ];

    /// The name in metrics, files and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Slow => "slow",
            Self::Error => "error",
            Self::Hang => "hang",
            Self::Unreachable => "unreachable",
            Self::Stale => "stale",
            Self::Blocked => "blocked",
            Self::Void => "void",
        }
    }

    /// The words that people read.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Ok => "thông suốt",
            Self::Slow => "chậm",
            Self::Error => "lỗi",
            Self::Hang => "treo",
            Self::Unreachable => "mất kết nối",
            Self::Stale => "mất đồng bộ",
            Self::Blocked => "bị chặn",
            Self::Void => "không đo được",
        }
    }

    /// Good, bad, or nothing at all.
    #[must_use]
    pub const fn testimony(self) -> Option<Testimony> {
        match self {
            Self::Ok | Self::Slow => Some(Testimony::Good),
            Self::Error | Self::Hang | Self::Unreachable | Self::Stale => Some(Testimony::Bad),
            Self::Blocked | Self::Void => None,
        }
    }
}
