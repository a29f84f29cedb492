//! `kind = heartbeat` as the app uses it: a board, beats, runs.

use std::sync::Arc;
use std::time::Duration;

use thongsuot::model::id::CheckId;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{HeartbeatSpec, Spec};
use thongsuot::probe::heartbeat::Board;

use crate::probe_kit::{LONG, check, ends, net, now, observe};

#[tokio::test(start_paused = true)]
async fn a_run_says_what_the_board_says() {
    let board = Arc::<Board>::default();
    let net = net(None).with_board(Arc::clone(&board));
    let token = Secret::new("mật".to_owned());
    let spec = Spec::Heartbeat(HeartbeatSpec { token, age_max: std::time::Duration::from_mins(1) });
    let check = check(spec, LONG);
    ends(&observe(&check, &net).await, Reason::HeartbeatWaiting);
    board.beat(&check.id, now(), None);
    ends(&observe(&check, &net).await, Reason::None);
    board.beat(&check.id, now(), Some("hết đĩa"));
    ends(&observe(&check, &net).await, Reason::HeartbeatFailed);
    board.beat(&check.id, now(), None);
    tokio::time::advance(Duration::from_millis(60_001)).await;
    ends(&observe(&check, &net).await, Reason::HeartbeatLate);
    board.beat(&CheckId::new("another").unwrap(), now(), None);
    ends(&observe(&check, &net).await, Reason::HeartbeatLate);
}

#[tokio::test]
async fn without_a_board_it_is_our_own_fault() {
    let token = Secret::new("mật".to_owned());
    let spec = Spec::Heartbeat(HeartbeatSpec { token, age_max: std::time::Duration::from_mins(1) });
    ends(&observe(&check(spec, LONG), &net(None)).await, Reason::Internal);
}
