//! Incidents that every template must be able to tell.

use super::told::{Told, ToldCheck, ToldSaid};
use crate::alert::condition::Kind;
use crate::model::alerting::rules::Severity;

impl Told {
    /// Samples that every template must be able to render: one with all there is to say, one
    /// with as little as there can be, of each kind that is told differently.
    #[must_use]
    pub(super) fn samples() -> Vec<Self> {
        let full = Self::sample(Kind::Down);
        let bare = |kind| {
            let mut bare = Self { kind, ..Self::sample(kind) };
            for text in [
                &mut bare.meaning,
                &mut bare.system_id,
                &mut bare.owner,
                &mut bare.ended,
                &mut bare.ending,
                &mut bare.ending_kind,
                &mut bare.reason,
                &mut bare.seen,
                &mut bare.holder,
                &mut bare.holder_since,
                &mut bare.cause,
                &mut bare.count,
                &mut bare.ack_url,
                &mut bare.incident_url,
                &mut bare.grafana_url,
                &mut bare.runbook,
            ] {
                text.clear();
            }
            (bare.said, bare.checks, bare.parts_names) = (Vec::new(), Vec::new(), Vec::new());
            (bare.parts, bare.checks_more, bare.returns) = (0, 0, 0);
            (bare.maintained, bare.flapping) = (false, false);
            bare
        };
        vec![full, bare(Kind::Down), bare(Kind::Drill), bare(Kind::Certificate)]
    }

    fn sample(kind: Kind) -> Self {
        let text = str::to_owned;
        Self {
            number: text("SC-2026-0012"),
            kind,
            label: text("GIÁN ĐOẠN"),
            what: text("gián đoạn"),
            meaning: text("Không truy cập được."),
            severity: Severity::Page,
            urgency: text("cần xử lý ngay"),
            system: text("VNeID"),
            system_id: text("vneid"),
            owner: text("Bộ Công an"),
            title: text("VNeID – Đăng nhập"),
            since: text("08:14 ngày 23/11"),
            ended: text("08:40 ngày 23/11"),
            ending: text("đã khôi phục"),
            ending_kind: text("recovered"),
            duration: text("26 phút"),
            said: vec![ToldSaid {
                kind,
                what: text("gián đoạn"),
                since: text("08:14 ngày 23/11"),
                reason: text("từ chối kết nối"),
                why: text("connection refused"),
                count: text("còn 7 ngày"),
            }],
            checks: vec![ToldCheck { name: text("Đăng nhập"), what: text("gián đoạn") }],
            checks_more: 1,
            reason: text("từ chối kết nối"),
            seen: text("Viettel, VNPT; FPT bình thường"),
            holder: text("Nguyễn Văn A"),
            holder_since: text("08:20 ngày 23/11"),
            cause: text("ảnh hưởng bởi Cổng Dịch vụ công (SC-2026-0011)"),
            parts: 2,
            parts_names: vec![text("Cổng Dịch vụ công")],
            maintained: true,
            flapping: true,
            returns: 3,
            count: text("còn 7 ngày"),
            ack_url: text("https://giamsat.example.gov.vn/ack/x"),
            incident_url: text("https://giamsat.example.gov.vn/incidents/SC-2026-0012"),
            grafana_url: text("https://grafana.example.gov.vn/d/x"),
            runbook: text("https://wiki.example.gov.vn/vneid"),
        }
    }
}
