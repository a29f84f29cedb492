//! What every test of a channel sends, and a store of tokens that can be looked into.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thongsuot::alert::channel::{Sender, SenderError, StoreFuture, TokenPair, TokenStore};
use thongsuot::alert::message::{Message, short};
use thongsuot::model::alerting::channel::{Channel, ChannelKind, HttpChannel};
use thongsuot::model::id::ChannelId;
use thongsuot::model::secret::Secret;
use thongsuot::model::time::Millis;

/// 08:14 on 23/11/2026 in Hà Nội.
pub(crate) const NOW: Millis = Millis(1_795_396_440_000);

/// Deadline of an attempt that is to end well.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) const SUBJECT: &str = "[GIÁN ĐOẠN] VNeID – Đăng nhập: từ 08:14 ngày 23/11 (Viettel, \
                                  VNPT; FPT bình thường). Chưa có người tiếp nhận. Mã SC-2026-0012";

pub(crate) fn message() -> Message {
    Message {
        key: "SC-2026-0012/page/0/0/0/an/mail/an@example.gov.vn".to_owned(),
        incident: "SC-2026-0012".to_owned(),
        purpose: "page".to_owned(),
        severity: "page".to_owned(),
        subject: SUBJECT.to_owned(),
        text: format!(
            "{SUBJECT}\n\nGián đoạn từ 08:14 ngày 23/11 (đã 12 phút).\n.\n- một dấu chấm"
        ),
        html: format!("<!doctype html>\n<html lang=\"vi\"><body><h1>{SUBJECT}</h1></body></html>"),
        short: short(
            "GIÁN ĐOẠN VNeID – Đăng nhập từ 08:14 ngày 23/11 & <chưa> tiếp nhận. SC-2026-0012",
        ),
        ack_url: "https://giamsat.example.gov.vn/ack/SC-2026-0012/s1gn3d".to_owned(),
        incident_url: "https://giamsat.example.gov.vn/incidents/SC-2026-0012".to_owned(),
        system: "VNeID".to_owned(),
        links: vec!["https://giamsat.example.gov.vn/ack/SC-2026-0012/s1gn3d".to_owned()],
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A channel that is ready to send.
pub(crate) fn sender(kind: ChannelKind, timeout: Duration) -> Result<Sender, SenderError> {
    sender_with(kind, timeout, &(Arc::new(Store::default()) as Arc<dyn TokenStore>))
}

pub(crate) fn sender_with(
    kind: ChannelKind,
    timeout: Duration,
    store: &Arc<dyn TokenStore>,
) -> Result<Sender, SenderError> {
    let id = ChannelId::new("kenh").unwrap();
    Sender::new(&Channel { id, min_gap: Duration::ZERO, timeout, kind }, store)
}

pub(crate) fn http(channel: HttpChannel) -> ChannelKind {
    ChannelKind::Http(Box::new(channel))
}

/// Token pairs in memory, with a fault to switch on.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) pairs: Mutex<BTreeMap<ChannelId, TokenPair>>,
    /// Every refresh token that was saved, in order.
    pub(crate) saved: Mutex<Vec<String>>,
    /// Saving fails.
    pub(crate) full: Mutex<bool>,
}

impl TokenStore for Store {
    fn load<'a>(&'a self, channel: &'a ChannelId) -> StoreFuture<'a, Option<TokenPair>> {
        Box::pin(async { Ok(self.pairs.lock().unwrap().get(channel).cloned()) })
    }

    fn save<'a>(&'a self, channel: &'a ChannelId, pair: &'a TokenPair) -> StoreFuture<'a, ()> {
        Box::pin(async {
            if *self.full.lock().unwrap() {
                return Err("disk full".to_owned());
            }
            self.saved.lock().unwrap().push(pair.refresh.reveal().to_owned());
            self.pairs.lock().unwrap().insert(channel.clone(), pair.clone());
            Ok(())
        })
    }
}
