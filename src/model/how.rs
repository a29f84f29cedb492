//! How one run goes to its target, apart from what it does there.

use std::net::IpAddr;

use super::check::Lane;

/// How one run goes about it. [`How::from`] a [`Lane`] is how checks run; the rest is for those
/// who ask for a run in another way, such as `/probe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct How {
    /// The address family asked for.
    pub lane: Lane,
    /// Whether the other family will do if the target has no address of `lane`.
    pub spare: bool,
    /// Whether only the first address is tried. Otherwise the next one is, when one refuses or
    /// can't be reached.
    pub first_only: bool,
    /// The address that connections come from, instead of the monitor's own setting.
    pub source: Option<IpAddr>,
    /// Whether the whole answer is kept in the observation ([`super::observation::Detail::kept`]).
    pub keep: bool,
}

impl From<Lane> for How {
    fn from(lane: Lane) -> Self {
        Self { lane, spare: false, first_only: false, source: None, keep: false }
    }
}
