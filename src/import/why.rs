//! Why something was not carried, and what to do: English for the terminal, Vietnamese for the
//! comments of the file.

/// A reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Why {
    /// In English.
    pub(super) en: &'static str,
    /// In Vietnamese.
    pub(super) vi: &'static str,
    /// What to do, in English; empty: nothing.
    pub(super) mend: &'static str,
}

macro_rules! reasons {
    ($($name:ident: $en:literal, $vi:literal, $mend:literal;)*) => {
        $(pub(super) const $name: Why = Why { en: $en, vi: $vi, mend: $mend };)*
        #[cfg(test)]
        const ALL: &[Why] = &[$($name,)*];
    };
}

reasons! {
    NOT_TAKEN: "targets.toml does not take it", "targets.toml không nhận",
        "correct it in the source and import again, or write the check by hand";
    WAS_OFF: "it was switched off there", "đã tắt từ trước", "";
    UNKNOWN: "this key is not known to the import", "khóa này chưa được biết",
        "look whether the check still says what is meant";
    INTERVAL: "its interval is not within 1s to 1d", "chu kỳ ngoài khoảng 1 giây đến 1 ngày",
        "set `interval` of the check";
    TIMEOUT: "the timeout is longer than the interval", "thời hạn dài hơn chu kỳ, đã rút bằng chu kỳ",
        "set a longer `interval` if the service needs the time";
    CONFIRM: "more failures in a row than `confirm` takes", "số lần hỏng liên tiếp vượt `confirm`",
        "`confirm` is 10, its most; lengthen `interval` to wait longer";
    RETRY_INTERVAL: "a pace of its own between retries", "nhịp thử lại riêng",
        "after a bad result thongsuot looks again sooner by itself: nothing to do";

    CONDITION: "this condition has no counterpart", "điều kiện không có tương đương",
        "docs/configuration.md lists what `expect` can say";
    NOT_A_CONDITION: "this is not a condition", "không phải một điều kiện", "correct it in the source";
    CONDITION_KIND: "this condition can't be asked of this kind of check",
        "loại phép đo này không xét được điều kiện này", "docs/configuration.md lists what `expect` can say";
    NEVER: "no answer can meet this together with the other conditions",
        "không câu trả lời nào thỏa được cùng lúc", "write `expect.status` by hand";
    IP: "the address that a name leads to is not an expectation", "địa chỉ IP không phải kỳ vọng",
        "add a `dns` check with `expect.answer`";
    DOMAIN: "when a domain's registration ends is not watched", "không theo dõi hạn đăng ký tên miền",
        "put the day into the calendar of whoever pays for the name";
    CONTEXT: "values from earlier steps are not kept", "không giữ giá trị của bước trước",
        "watch each step by a check of its own";
    COMPARE: "values in a body are compared for equality only", "chỉ so sánh bằng, không so lớn nhỏ",
        "use `matches` with a pattern, or let the service say `UP` or `DOWN`";
    DIFFERS: "a value in JSON that must differ is not an expectation", "không có phép \"khác\" cho JSON",
        "use `matches` with a pattern of what is right, or `body_not_matches`";
    GLOB: "a pattern with classes or escapes", "mẫu có lớp ký tự hoặc ký tự thoát",
        "write it as a regular expression in `matches`";
    DAYS: "days of a certificate are whole here: rounded up", "số ngày chứng thư làm tròn lên", "";
    WILDCARD: "elements without this member pass", "phần tử thiếu trường này vẫn đạt", "";
    TIME_LIMIT: "the limit on the response time is the deadline here",
        "giới hạn thời gian trả lời thành thời hạn", "";
    EXPECTS_DOWN: "it is well there when nothing answers, and thongsuot has no such check",
        "ở đó không trả lời mới là tốt", "watch what must not answer with another tool";

    UDP: "a datagram without an answer proves nothing", "gói UDP không có hồi đáp không chứng tỏ gì",
        "if it is a name server write a `dns` check; else let the service send a `heartbeat`";
    SCTP: "SCTP is not spoken", "không hỗ trợ SCTP", "let the service send a `heartbeat`";
    SCHEME: "this kind of address is not known", "loại địa chỉ chưa được biết",
        "write the check by hand: http, tcp, tls, dns, icmp, grpc or heartbeat";
    NO_LOGIN: "only whether the port answers is looked at; nothing is said or logged in",
        "chỉ xem cổng có trả lời, không đăng nhập", "let the service send a `heartbeat` for more";
    NO_ADDRESS: "it has no address to try", "không có địa chỉ để thử", "write the check by hand";
    NO_KIND: "there is no check of this kind", "không có loại phép đo này",
        "let a script on the spot look and send a `heartbeat`";
    HEALTH_ONLY: "only the standard health service of gRPC is asked, not this method",
        "chỉ hỏi dịch vụ sức khỏe chuẩn của gRPC", "ask the owner whether grpc.health.v1.Health is there";
    BROWSER: "no browser is started: the page is fetched, its scripts are not run",
        "không mở trình duyệt: chỉ tải trang", "";
    SUITE: "steps that hand values on are not checks", "chuỗi bước truyền giá trị cho nhau không phải phép đo",
        "watch each step by a check of its own";
    VARIABLE: "it holds a variable, which is not put in here", "có biến môi trường, ở đây không thay thế",
        "write the value itself";
    PLACEHOLDER: "its body holds a placeholder that was filled in anew each time",
        "thân có chỗ điền thay đổi mỗi lần", "write a body that stays the same";

    BODY_SECRET: "the body seems to hold a secret and is not copied", "thân có vẻ chứa bí mật, không chép",
        "write it to a file and name it: body = { file = \"body.json\" }; then enabled = true";
    SEND_SECRET: "what is sent seems to hold a secret, and `send` takes text only",
        "lời gửi có vẻ chứa bí mật, không chép", "end the dialogue before the login; then enabled = true";
    BODY_FILE: "the body is in a file that is not here", "thân nằm trong tệp không có ở đây",
        "copy the file and name it: body = { file = \"…\" }; then enabled = true";
    URL_SECRET: "the address may hold a secret, and `url` takes text only",
        "địa chỉ có thể chứa bí mật", "keep the file readable by its owner alone (chmod 600)";
    URL_FRAGMENT: "a fragment is never sent to a server", "phần sau # không bao giờ được gửi", "";
    CLIENT_CERT: "our own certificate and its key are not copied", "chứng thư máy khách không được chép",
        "copy both and name them: tls = { cert = \"…\", key = { file = \"…\" } }; then enabled = true";
    ROOTS: "certificates to trust are not copied", "chứng thư gốc riêng không được chép",
        "write them to a file and name it: tls = { roots = \"…\" }; then enabled = true";
    SECRET_FILE: "the secret is in a file that is not here", "bí mật nằm trong tệp không có ở đây",
        "copy the file and name it with `file`; then enabled = true";
    PROXY: "a proxy of this kind is not spoken to", "không hỗ trợ loại proxy này",
        "use an HTTP proxy: proxy = \"http://…\"; then enabled = true";
    RESOLVER: "a check has no resolver of its own", "phép đo không có máy phân giải riêng",
        "name it for all checks: [monitor] resolvers = [\"…\"]; then enabled = true";
    LOGIN: "this way of logging in is not spoken", "không hỗ trợ cách đăng nhập này",
        "ask the owner for a page that needs no login, or use basic, bearer or oauth2";
    TWO_LOGINS: "a check logs in in one way: the other that is written counts", "chỉ dùng một cách đăng nhập", "";
    ACCEPT_HEADER: "a WebSocket whose server does not prove that it speaks it is not opened",
        "không mở WebSocket khi máy chủ không chứng tỏ", "ask the owner to follow RFC 6455";
    TUNNEL: "SSH tunnels are not opened", "không mở đường hầm SSH", "run thongsuot where the service is reached";
    COOKIES: "no cookie is kept between requests", "không giữ cookie", "";
    METHOD: "this method is not sent", "không gửi phương thức này", "use GET or HEAD; then enabled = true";
    NO_SILENCE: "it has no longest silence, so silence is no fault there", "không quy định im lặng tối đa",
        "set `max_age` to the longest silence that is normal; then enabled = true";
    BEATS: "beats are sent elsewhere now", "nhịp nay gửi đến địa chỉ khác",
        "POST /api/v1/heartbeats/<id> with header `Authorization: Bearer <token>`";
    JSON_PATH: "this expression is more than a path", "biểu thức không chỉ là đường dẫn",
        "write it as JSONPath (RFC 9535) in `expect.json`";
    JSONATA: "JSONata goes through lists by itself, JSONPath does not",
        "JSONata tự đi qua danh sách, JSONPath thì không", "try it: thongsuot probe <id>";
    CERTIFICATE: "certificates near their end are told of by themselves",
        "chứng thư sắp hết hạn được báo sẵn", "[alerting.rules] certificate_days";
    HEADERS: "these headers are not JSON", "các header này không phải JSON",
        "write `headers` of the check; then enabled = true";
    CONDITIONS: "conditions of this kind are not carried", "điều kiện loại này chưa chuyển",
        "docs/configuration.md lists what `expect` can say";
    IPV6_FIRST: "IPv4 is tried first here", "ở đây thử IPv4 trước", "write ip = \"v6\" if it must be IPv6";
    SOURCE: "a check has no source address of its own", "phép đo không có địa chỉ nguồn riêng",
        "name it for all checks: [monitor] source";
    CEL: "expressions of CEL are not read from targets.toml", "targets.toml không nhận biểu thức CEL",
        "write it as JSONPath in `expect.json`";
    SETTING: "this setting has no counterpart", "thiết đặt không có tương đương", "";
    ALL_RECORDS: "that not all records match is not an expectation", "không có kỳ vọng \"không phải mọi bản ghi\"",
        "use `none_matches` or `matches`";
    ANY_QUERY: "the default record type is ANY, which servers may refuse", "kiểu bản ghi mặc định là ANY",
        "write `record = \"A\"`";

    ALERTING: "who is called is written in another way", "ai được báo: viết theo cách khác",
        "docs/alerting.md; begin with deploy/alerting.example.toml";
    MAINTENANCE: "here maintenance is agreed and leaves the figures, it does not only mute",
        "bảo trì ở đây phải thỏa thuận và được loại khỏi số liệu",
        "once agreed: [[system.maintenance]], or `thongsuot maintenance add`";
    HISTORY: "results of the past are not carried: they were measured in another way",
        "kết quả cũ không chuyển", "keep the old data for as long as you must show it";
    PAGE: "the status page is built in and needs no settings", "trang trạng thái có sẵn", "";
    LISTEN: "it has another place here", "có chỗ khác ở đây", "[monitor] listen and token";
    ANCHORS: "it has another place here", "có chỗ khác ở đây", "[monitor.control] anchors";
    PEERS: "it has another place here", "có chỗ khác ở đây", "[[peer]]";
    NOT_NEEDED: "it has no counterpart, and needs none", "không cần ở đây", "";
    IN_USE: "Uptime Kuma was writing it: what it wrote meanwhile may be missing",
        "cơ sở dữ liệu đang được ghi", "stop Uptime Kuma and import again if a monitor is missing";

    SKELETON: "modules say how, not whom: the targets are in prometheus.yml",
        "tệp này không có đích: đích nằm trong prometheus.yml", "import again with --prometheus prometheus.yml";
    NO_MODULE: "there is no module of this name", "không có module này", "correct it in the source";
    DISCOVERY: "targets found by this discovery are not known here", "không biết đích của cơ chế này",
        "write them into a file for file_sd_configs, or by hand";
    RELABEL: "this relabelling is not followed", "không theo được quy tắc đổi nhãn này",
        "look whether `url` or `address` of its checks is what was meant";
    LABELS: "labels of targets are not carried", "nhãn của đích không chuyển",
        "systems and owners take their place";
    NO_FILE: "this file of targets can't be read", "không đọc được tệp đích",
        "copy it beside prometheus.yml and import again";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_lines_without_a_full_stop() {
        for why in ALL {
            for text in [why.en, why.vi, why.mend] {
                assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
            }
            assert!(!why.en.is_empty() && !why.vi.is_empty());
        }
    }
}
