//! The words of incidents, in both languages side by side.

use super::Language;

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
const LINES: [(&str, &str, &str); 21] = [
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
    language.pick(vietnamese, english).replace("{}", &details(language, what, text, name))
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
        // `who (via)`
        "acked" | "closed.by_hand" => match text.rsplit_once(" (") {
            None => name(text),
            Some((who, via)) => {
                let via = match via.trim_end_matches(')') {
                    "link" => language.pick("đường dẫn", "link"),
                    "cli" => language.pick("dòng lệnh", "command line"),
                    "api" => "API",
                    other => other,
                };
                format!("{} ({via})", name(who))
            }
        },
        _ => text.to_owned(),
    }
}

/// Where an incident stands.
pub(super) fn state(language: Language, state: &str) -> &'static str {
    match state {
        "open" => language.pick("đang diễn ra", "going on"),
        "acknowledged" => language.pick("đang xử lý", "being handled"),
        "calm" => language.pick("hết lỗi, sắp đóng", "well again, about to close"),
        _ => language.pick("đã đóng", "closed"),
    }
}

/// What a message is for.
pub(super) fn purpose(language: Language, purpose: &str) -> &str {
    match purpose {
        "page" => language.pick("báo động", "page"),
        "ticket" => language.pick("phiếu xử lý", "ticket"),
        "acknowledged" => language.pick("báo đã tiếp nhận", "word that it was acknowledged"),
        "update" => language.pick("cập nhật", "update"),
        "resolved" => language.pick("báo đã xong", "all-clear"),
        other => other,
    }
}

/// What became of a message.
pub(super) fn status(language: Language, status: &'static str) -> &'static str {
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
            ("acked", "an (link)", "An (đường dẫn) đã tiếp nhận", "acknowledged by An (link)"),
            (
                "acked",
                "Ca trực (3) (cli)",
                "Ca trực (3) (dòng lệnh) đã tiếp nhận",
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
