//! The page behind an acknowledge link, and the page of an incident.

use std::sync::atomic::Ordering;

use hyper::StatusCode;
use thongsuot::model::alerting::Language;
use thongsuot::web::Limits;

use super::duty::{ALERT, LINK, OLD_LINK};
use super::fake::Fake;
use super::{Answer, Served, request, serve, serve_with};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn press(served: &Served, token: &str, body: &str) -> Answer {
    served.post(&format!("/a/{token}"), &[FORM], body).await
}

/// What would change without the button, and whether anything was asked of the source.
fn untouched(served: &Served) -> bool {
    !served.fake.taken.load(Ordering::SeqCst) && served.fake.acts.load(Ordering::SeqCst) == 0
}

/// For whoever wants to look at it.
fn keep(name: &str, answer: &Answer) {
    std::fs::write(format!("{}/{name}.html", env!("CARGO_TARGET_TMPDIR")), &answer.body).unwrap();
}

#[tokio::test]
async fn opening_a_link_changes_nothing_and_tells_what_a_person_needs() {
    let served = serve(Fake::new()).await;
    let target = format!("/a/{LINK}");
    for method in ["GET", "HEAD", "GET"] {
        let answer = served.send(request(method, &target, &[], "")).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = served.send(request(method, &target, &[], "act=acknowledge")).await;
        assert_eq!(answer.status.as_u16(), 405, "{method}");
    }
    assert!(untouched(&served));
    let answer = served.get(&target).await;
    keep("link", &answer);
    let page = answer.text().replace('\u{a0}', " ");
    for said in [
        "<html lang=\"vi\">",
        "<h1>Hệ thống &lt;b&gt;0001&lt;/b&gt; – &quot;Đăng nhập&quot; &amp; &#39;ký số&#39;</h1>",
        "GIÁN ĐOẠN",
        "Từ 14:48 ngày 24/11/2026 (12 phút)",
        "Mất kết nối: từ chối kết nối",
        "Chưa có người tiếp nhận",
        "<form method=\"post\"><button name=\"act\" value=\"acknowledge\">Tôi tiếp nhận",
        "Nguyễn Văn &lt;An&gt;",
        "Hệ thống định danh và xác thực điện tử (VNeID) · ",
        "nobody-&lt;knows&gt;",
        "Gọi Trần Thị Bình, 0912***456 (bước 2)",
        "SC-2026-0001",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    for never in ["<script", "src=", "href=", "url(", "@import", "style=\"", "<b>", "<An>"] {
        assert!(!page.contains(never), "{never}");
    }
}

#[tokio::test]
async fn the_policy_allows_the_form_and_nothing_else() {
    let answer = serve(Fake::new()).await.get(&format!("/a/{LINK}")).await;
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("form-action 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    // `no-referrer` would make a browser send `Origin: null`, which is refused.
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    let style = concat!("<style>", include_str!("../../../src/web/link/style.css"), "</style>");
    assert!(answer.text().contains(style), "its digest is in the policy, to the byte");
}

#[tokio::test]
async fn the_button_acts_once_and_says_so() {
    let served = serve(Fake::new()).await;
    let done = press(&served, LINK, "act=acknowledge").await;
    keep("link-done", &done);
    assert_eq!(done.status, StatusCode::OK);
    let page = done.text();
    for said in ["✔ Đã tiếp nhận", "Không ai khác bị gọi thêm", "14:58:00 ngày 24/11/2026"]
    {
        assert!(page.contains(said), "{said}\n{page}");
    }
    assert!(!page.contains("<button"), "nothing is left to press");
    assert!(served.fake.taken.load(Ordering::SeqCst));

    let again = press(&served, LINK, "act=acknowledge").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    keep("link-again", &again);
    assert!(again.text().contains("✖ Đã có người tiếp nhận"), "{}", again.text());
    assert!(again.text().contains("Nguyễn Văn An đã tiếp nhận trước"), "{}", again.text());
    served.fake.by_link.store(true, Ordering::SeqCst);
    let twice = press(&served, LINK, "act=acknowledge").await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    let page = twice.text();
    assert!(page.contains("✔ Đã tiếp nhận") && !page.contains('✖'), "their own press: {page}");
    served.fake.by_link.store(false, Ordering::SeqCst);
    let opened = served.get(&format!("/a/{LINK}")).await;
    assert_eq!(opened.status, StatusCode::OK);
    assert!(opened.text().contains("Nguyễn Văn An đã tiếp nhận lúc 14:58:00"));
    assert!(!opened.text().contains("value=\"acknowledge\""));
}

#[tokio::test]
async fn a_forged_old_or_senseless_press_does_nothing() {
    let served = serve(Fake::new()).await;
    for token in ["nope", "SC-2026-0001_1_an_01", "SC-2026-0001_1_binh_00", "%00", "%FF"] {
        let (opened, pressed) =
            (served.get(&format!("/a/{token}")).await, press(&served, token, "act=acknowledge"));
        let expected = if token == "%FF" { 404 } else { 403 };
        assert_eq!(opened.status.as_u16(), expected, "{token}");
        assert_eq!(pressed.await.status.as_u16(), expected, "{token}");
    }
    assert!(served.get("/a/nope").await.text().contains("Đường dẫn không đúng hoặc bị cắt"));
    let old = served.get(&format!("/a/{OLD_LINK}")).await;
    assert_eq!(old.status, StatusCode::OK, "it tells how things stand");
    assert!(old.text().contains("đã có tin mới hơn") && !old.text().contains("<button"));
    assert_eq!(press(&served, OLD_LINK, "act=acknowledge").await.status.as_u16(), 409);
    assert_eq!(press(&served, LINK, "act=close").await.status.as_u16(), 409, "it still goes on");

    served.fake.acts.store(0, Ordering::SeqCst);
    for body in ["", "act=", "act=nope", "act=acknowledge&x=1", "who=an", "{\"act\":\"close\"}"] {
        let answer = press(&served, LINK, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.text().contains("Hãy bấm nút trên trang"), "{body}");
    }
    let large = "x".repeat(64 * 1024 + 1);
    assert_eq!(press(&served, LINK, &large).await.status.as_u16(), 413);
    assert!(untouched(&served));
}

#[tokio::test]
async fn a_forged_token_costs_no_look_at_what_is_watched_and_no_body() {
    let served = serve(Fake::new()).await;
    for token in ["nope", LINK, OLD_LINK] {
        served.get(&format!("/a/{token}")).await;
        press(&served, token, "act=acknowledge").await;
    }
    assert_eq!(served.fake.snapshots.load(Ordering::SeqCst), 0);
    let large = "x".repeat(64 * 1024 + 1);
    assert_eq!(press(&served, "nope", &large).await.status.as_u16(), 403, "it is not read");
    served.get("/").await;
    assert_eq!(served.fake.snapshots.load(Ordering::SeqCst), 1, "this counts them");
}

#[tokio::test]
async fn a_press_from_another_site_is_refused() {
    let served = serve(Fake::new()).await;
    let target = format!("/a/{LINK}");
    for headers in [
        vec![("origin", "http://evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site"), ("origin", "http://localhost")],
        vec![("sec-fetch-site", "none"), ("origin", "http://evil.example")],
    ] {
        let headers = [&headers[..], &[FORM]].concat();
        let answer = served.post(&target, &headers, "act=acknowledge").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    assert!(untouched(&served));
    // A proxy that puts an address into `Host`: the browser knows that it is the same site.
    let proxied = [("sec-fetch-site", "same-origin"), ("origin", "https://giam-sat.example"), FORM];
    let answer = served.post(&target, &proxied, "act=acknowledge").await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn the_token_in_the_link_lets_in_there_and_nowhere_else() {
    let served = serve_with(Fake::new(), Some("mật"), Limits::default()).await;
    let named = [("host", "giam-sat.example"), FORM];
    let target = format!("/a/{LINK}");
    let mut opened = request("GET", &target, &[], "");
    opened.headers_mut().insert("host", "giam-sat.example".parse().unwrap());
    assert_eq!(served.send(opened).await.status, StatusCode::OK, "under any name");
    let bearer = format!("Bearer {LINK}");
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/incidents/SC-2026-0001"),
        ("GET", "/api/v1/alerts"),
        ("GET", "/api/v1/alerts/SC-2026-0001"),
        ("POST", "/api/v1/alerts/SC-2026-0001/acknowledge"),
        ("POST", "/api/v1/alerts/SC-2026-0001/close"),
        ("POST", "/api/v1/drill"),
        ("GET", "/api/v1/oncall"),
    ] {
        for headers in [vec![], vec![("authorization", bearer.as_str())]] {
            let answer = served.send(request(method, target, &headers, "{\"who\":\"x\"}")).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {target}");
        }
    }
    assert!(untouched(&served));
    let pressed = served.post(&target, &named[1..], "act=acknowledge").await;
    assert_eq!(pressed.status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_speaks_the_language_of_messages() {
    let served = serve(Fake { language: Language::English, ..Fake::new() }).await;
    let page = served.get(&format!("/a/{LINK}")).await.text().replace('\u{a0}', " ");
    for said in [
        "<html lang=\"en\">",
        "DOWN",
        "Since 14:48 on 2026-11-24 (12 min)",
        ": connect refused",
        "Nobody has it yet",
        "I have it",
        "Called Trần Thị Bình, 0912***456 (step 2)",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    assert!(press(&served, LINK, "act=acknowledge").await.text().contains("✔ You have it"));
    assert!(served.get("/a/nope").await.text().contains("The link is wrong or was cut"));
    assert!(served.get("/").await.text().contains("<html lang=\"en\">"));
    assert!(served.get("/?lang=vi").await.text().contains("<html lang=\"vi\">"));
}

#[tokio::test]
async fn an_incident_has_a_page_that_tells_all_of_it() {
    let served = serve(Fake::new()).await;
    let answer = served.get(&format!("/incidents/{ALERT}")).await;
    keep("incident", &answer);
    let page = answer.text().replace('\u{a0}', " ");
    for said in [
        "<h1>Hệ thống &lt;b&gt;0001&lt;/b&gt;",
        "Gián đoạn từ 14:48 ngày 24/11/2026 (12 phút)",
        "Chưa có người tiếp nhận",
        "Mở sự cố: gián đoạn – cần xử lý ngay",
        "Gọi Nguyễn Văn An (bước 1)",
        "Báo động cho Nguyễn Văn An qua zalo: đã gửi",
        "Báo động cho Trần Thị Bình qua zalo: KHÔNG gửi được sau 5 lần thử – gateway says &lt;no&gt;",
        "Báo động qua zalo: đang chờ gửi",
        "<a href=\"SC-2026-0002?lang=vi\">SC-2026-0002</a>",
        "nobody-&lt;knows&gt;",
        "<meta http-equiv=\"refresh\"",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("form-action 'none'"), "{policy}");
    let english = served.get(&format!("/incidents/{ALERT}?lang=en")).await.text();
    for said in ["Down since", "Opened: down – act now", "NOT delivered after 5 attempts"] {
        assert!(english.contains(said), "{said}\n{english}");
    }
    let part = served.get("/incidents/SC-2026-0002").await.text();
    assert!(part.contains("Nguyên nhân</dt><dd><a href=\"SC-2026-0001?lang=vi\">"), "{part}");
    let closed = served.get("/incidents/SC-2026-0000").await.text();
    assert!(!closed.contains("http-equiv=\"refresh\""), "nothing more is to come");
    assert!(closed.contains("từ 14:20 ngày 24/11/2026 đến 14:40 ngày 24/11/2026"), "{closed}");
    let unknown = served.get("/incidents/SC-1999-0001%3Cb%3E").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.text().contains("<h1>SC-1999-0001&lt;b&gt;</h1>"), "{}", unknown.text());
}

#[tokio::test]
async fn the_status_page_shows_open_incidents_first_and_who_is_on_call() {
    let served = serve(Fake::new()).await;
    let page = served.get("/").await.text();
    let incidents = page.find("Sự cố đang mở").unwrap();
    assert!(incidents < page.find("<h2><span class=\"mark\"").unwrap());
    assert!(page.contains("<a href=\"incidents/SC-2026-0001?lang=vi\">"), "{page}");
    assert!(!page.contains("incidents/SC-2026-0002"), "a part is told with its cause");
    assert!(!page.contains("incidents/SC-2026-0000"), "it is closed");
    for said in [
        "Chưa có người tiếp nhận",
        "Đang trực – Trực ban: <strong>Nguyễn Văn An</strong> đến 08:00 ngày 25/11/2026",
        "Đang trực – Tổ &lt;ký số&gt;: <strong>không có ai, gọi danh sách dự phòng</strong>",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    press(&served, LINK, "act=acknowledge").await;
    let page = served.get("/?lang=en").await.text();
    assert!(page.contains("Nguyễn Văn An has it since 14:58:00 on 2026-11-24"), "{page}");
    assert!(page.contains("On call – Trực ban: <strong>Nguyễn Văn An</strong> until"), "{page}");
}
