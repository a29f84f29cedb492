//! The words of the acknowledge page, in both languages side by side.

use super::super::duty::ActError;
use super::super::html::escaped;
use super::super::words::Language;

/// The button.
pub(super) const fn take(language: Language) -> &'static str {
    language.pick("Tôi tiếp nhận", "I have it")
}

/// What it does.
pub(super) const fn effect(language: Language) -> &'static str {
    language.pick(
        "Sau khi bấm, không ai khác bị gọi thêm. Nếu quá lâu mà sự cố chưa hết, hệ thống sẽ gọi lại.",
        "After that nobody else is called. If it still goes on much later, people are called anew.",
    )
}

pub(super) const fn taken(language: Language) -> &'static str {
    language.pick("Đã tiếp nhận", "You have it")
}

pub(super) const fn quiet(language: Language) -> &'static str {
    language.pick("Không ai khác bị gọi thêm.", "Nobody else is called.")
}

pub(super) const fn close(language: Language) -> &'static str {
    language.pick("Đóng sự cố", "Close the incident")
}

pub(super) const fn closed(language: Language) -> &'static str {
    language.pick("Đã đóng sự cố", "Closed")
}

/// What the button came to, if not to what it says.
pub(super) const fn nothing_done(language: Language, error: &ActError) -> &'static str {
    match error {
        ActError::Taken { .. } => language.pick("Đã có người tiếp nhận", "Somebody has it already"),
        ActError::Closed => language.pick("Đã đóng từ trước", "It was closed before"),
        _ => language.pick("Chưa ghi nhận", "Nothing was done"),
    }
}

pub(super) const fn useless(language: Language) -> &'static str {
    language.pick("Không dùng được", "This can't be used")
}

pub(super) const fn drill(language: Language) -> &'static str {
    language.pick(
        "Đây là tin thử đường báo động. Không có sự cố nào.",
        "This is a test of the alerting path. Nothing is wrong.",
    )
}

/// Why it was not done, for whoever pressed the button; HTML.
pub(super) fn refusal(language: Language, error: &ActError) -> String {
    let (vietnamese, english) = match error {
        ActError::Unknown(_) => (
            "Không còn sự cố này: đã đóng từ lâu.",
            "There is no such incident any more: it was closed long ago.",
        ),
        ActError::Forged => (
            "Đường dẫn không đúng hoặc bị cắt. Hãy mở lại từ tin nhắn mới nhất.",
            "The link is wrong or was cut. Open it again from the newest message.",
        ),
        ActError::Used => (
            "Đường dẫn này đã dùng, hoặc đã có tin mới hơn.",
            "This link has been used, or there is a newer message.",
        ),
        ActError::Taken { by } => {
            let by = escaped(by);
            return match language {
                Language::Vietnamese => format!("{by} đã tiếp nhận trước."),
                Language::English => format!("{by} has it already."),
            };
        }
        ActError::Closed => ("Sự cố đã được đóng.", "The incident is closed."),
        ActError::StillTrue => (
            "Lỗi vẫn còn nên chưa đóng được. Sự cố tự đóng khi hết lỗi.",
            "It still goes on, so it can't be closed. It closes by itself when all is well.",
        ),
        ActError::Wrong(..) => (
            "Yêu cầu không hiểu được. Hãy bấm nút trên trang.",
            "This was not understood. Press the button on the page.",
        ),
    };
    language.pick(vietnamese, english).to_owned()
}
