//! The words of incidents, in both languages side by side.

use super::Language;
use crate::model::alerting::Language as Spoken;
use crate::model::reason::Reason;

/// Kinds as stored, their `alertname`, and their words.
const KINDS: [(&str, &str, &str, &str); 11] = [
    ("drill", "ThongsuotDrill", "diễn tập", "drill"),
    ("monitor", "ThongsuotMonitorTrouble", "lỗi giám sát", "monitor fault"),
    ("certificate", "ThongsuotCertificateEnds", "chứng thư sắp hết hạn", "certificate ends"),
    (
        "objective_at_risk",
        "ThongsuotObjectiveAtRisk",
        "nguy cơ không đạt chỉ tiêu",
        "objective at risk",
    ),
    ("objective_broken", "ThongsuotObjectiveBroken", "không đạt chỉ tiêu", "objective missed"),
    ("coverage", "ThongsuotCoverageLost", "mất giám sát", "coverage lost"),
    ("slow", "ThongsuotServiceSlow", "chậm", "slow"),
    ("burn_slow", "ThongsuotBudgetBurnSlow", "không ổn định", "unstable"),
    ("partial", "ThongsuotServicePartial", "gián đoạn một phần", "partly down"),
    ("burn_fast", "ThongsuotBudgetBurnFast", "lỗi nhiều", "failing often"),
    ("down", "ThongsuotServiceDown", "gián đoạn", "down"),
];

/// What happened, as in the log, and the words of it; `{}` stands for the details.
const LINES: [(&str, &str, &str); 22] = [
    ("opened", "mở sự cố: {}", "opened: {}"),
    ("worsened", "nặng hơn: {}", "worse: {}"),
    ("renewed", "chứng thư còn {} ngày", "{} days left on the certificate"),
    ("calm", "hết lỗi, theo dõi thêm rồi mới đóng", "well again, to be closed if it stays so"),
    ("returned", "lỗi trở lại", "came back"),
    ("reopened", "lỗi trở lại sau khi đã đóng, mở lại sự cố", "came back after it was closed"),
    ("flapping", "chập chờn", "comes and goes"),
    ("held", "chờ kết quả của hệ thống mà nó phụ thuộc", "waits for what it depends on"),
    ("released", "hết chờ", "waits no longer"),
    ("cause.joined", "là hệ quả của {}", "a part of {}"),
    ("cause.left", "không còn là hệ quả của {}", "no part of {} any more"),
    ("maintenance.began", "bắt đầu bảo trì: không gọi ai", "in maintenance: nobody is called"),
    ("maintenance.ended", "hết bảo trì", "out of maintenance"),
    ("closed", "đã đóng: hoạt động bình thường trở lại", "closed: well again"),
    ("closed.by_hand", "{} đã đóng", "closed by {}"),
    ("removed", "đã đóng: không còn giám sát", "closed: no longer watched"),
    ("paged", "gọi {}", "called {}"),
    ("ticketed", "gửi phiếu xử lý cho {}", "ticket sent to {}"),
    ("acked", "{} đã tiếp nhận", "acknowledged by {}"),
    (
        "ack.ran_out",
        "quá hạn kể từ khi {} tiếp nhận mà chưa xong: gọi lại",
        "still open long after {} took it on: called anew",
    ),
    (
        "unreached",
        "không tin nhắn nào gửi được, kể cả danh sách dự phòng (lần {}): sẽ gọi lại từ đầu",
        "no message could be delivered, the fallback list included (time {}): to be called anew",
    ),
    ("nobody", "không cấu hình ai để gọi", "nobody is configured to be called"),
];

/// The words of a kind, by its name or its `alertname`.
pub(super) fn kind(language: Language, name: &str) -> Option<&'static str> {
    let known = KINDS.iter().find(|it| it.0 == name || it.1 == name)?;
    Some(language.pick(known.2, known.3))
}

/// A line of a log. What it does not know it shows as it is.
pub(super) fn line(
    language: Language,
    what: &str,
    text: &str,
    name: &dyn Fn(&str) -> String,
) -> String {
    let Some((_, vietnamese, english)) = LINES.iter().find(|it| it.0 == what) else {
        let text = if text.is_empty() { String::new() } else { format!(": {text}") };
        return format!("{what}{text}");
    };
    let words = language.pick(vietnamese, english);
    // `who (via)`
    if matches!(what, "acked" | "closed.by_hand") {
        let (who, via) = text.rsplit_once(" (").unwrap_or((text, ""));
        let via = match via.trim_end_matches(')') {
            "" => String::new(),
            "link" => language.pick(" (đường dẫn)", " (link)").to_owned(),
            "cli" => language.pick(" (dòng lệnh)", " (command line)").to_owned(),
            "api" => " (API)".to_owned(),
            other => format!(" ({other})"),
        };
        return words.replace("{}", &name(who)) + &via;
    }
    words.replace("{}", &details(language, what, text, name))
}

fn details(language: Language, what: &str, text: &str, name: &dyn Fn(&str) -> String) -> String {
    let names = |list: &str| list.split(", ").map(name).collect::<Vec<_>>().join(", ");
    match what {
        "opened" | "worsened" => {
            let (alert, severity) = text.split_once(' ').unwrap_or((text, ""));
            let urgency = match severity {
                "page" => language.pick(" – cần xử lý ngay", " – act now"),
                "ticket" => language.pick(" – xử lý trong giờ làm việc", " – in working hours"),
                _ => "",
            };
            format!("{}{urgency}", kind(language, alert).unwrap_or(alert))
        }
        // `round.turn.step: who`
        "paged" => match text.split_once(": ") {
            None => names(text),
            Some((place, who)) => {
                let step = place.rsplit('.').next().unwrap_or(place);
                format!("{} ({} {step})", names(who), language.pick("bước", "step"))
            }
        },
        "ticketed" | "ack.ran_out" => names(text),
        _ => text.to_owned(),
    }
}

/// What happened in words, from a line of a log: `opened`, `ThongsuotServiceDown page`. What is
/// not known is shown as it is.
#[must_use]
pub fn happened(language: Spoken, what: &str, text: &str) -> String {
    line(language.into(), what, text, &str::to_owned)
}

/// What a check found, by the name of the reason: `Mất kết nối: từ chối kết nối`.
#[must_use]
pub fn reason(language: Spoken, name: &str) -> String {
    let known = Reason::parse(name).map(|it| Language::from(language).reason(it));
    known.unwrap_or_else(|| name.to_owned())
}

/// Where an incident stands, by the name of its state.
#[must_use]
pub fn stands(language: Spoken, state: &str) -> &'static str {
    let language = Language::from(language);
    match state {
        "open" => language.pick("đang diễn ra", "going on"),
        "acknowledged" => language.pick("đang xử lý", "being handled"),
        "calm" => language.pick("hết lỗi, sắp đóng", "well again, about to close"),
        _ => language.pick("đã đóng", "closed"),
    }
}

/// What a message is for.
#[must_use]
pub fn purpose(language: Spoken, purpose: &str) -> &str {
    let language = Language::from(language);
    match purpose {
        "page" => language.pick("báo động", "page"),
        "ticket" => language.pick("phiếu xử lý", "ticket"),
        "acknowledged" => language.pick("báo đã tiếp nhận", "word that it was acknowledged"),
        "update" => language.pick("cập nhật", "update"),
        "resolved" => language.pick("báo đã xong", "all-clear"),
        other => other,
    }
}

/// What became of a message, by the name of its status.
#[must_use]
pub fn became(language: Spoken, status: &str) -> &str {
    let language = Language::from(language);
    match status {
        "pending" => language.pick("đang chờ gửi", "waiting"),
        "sent" => language.pick("đã gửi", "sent"),
        "failed" => language.pick("KHÔNG gửi được", "NOT delivered"),
        "dropped" => language.pick("không cần gửi nữa", "no longer needed"),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_reads_like_a_story_in_both_languages() {
        let name = |who: &str| if who == "an" { "An".to_owned() } else { who.to_owned() };
        for (what, text, vietnamese, english) in [
            (
                "opened",
                "ThongsuotServiceDown page",
                "mở sự cố: gián đoạn – cần xử lý ngay",
                "opened: down – act now",
            ),
            ("paged", "1.1.2: an, binh", "gọi An, binh (bước 2)", "called An, binh (step 2)"),
            ("acked", "an (link)", "An đã tiếp nhận (đường dẫn)", "acknowledged by An (link)"),
            (
                "acked",
                "Ca trực (3) (cli)",
                "Ca trực (3) đã tiếp nhận (dòng lệnh)",
                "acknowledged by Ca trực (3) (command line)",
            ),
            ("renewed", "7", "chứng thư còn 7 ngày", "7 days left on the certificate"),
            (
                "cause.joined",
                "SC-2026-0001",
                "là hệ quả của SC-2026-0001",
                "a part of SC-2026-0001",
            ),
            (
                "calm",
                "",
                "hết lỗi, theo dõi thêm rồi mới đóng",
                "well again, to be closed if it stays so",
            ),
            ("new.thing", "x", "new.thing: x", "new.thing: x"),
            ("new.thing", "", "new.thing", "new.thing"),
        ] {
            assert_eq!(line(Language::Vietnamese, what, text, &name), vietnamese);
            assert_eq!(line(Language::English, what, text, &name), english);
        }
    }
}
