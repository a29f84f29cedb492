//! The status page and the metrics page.

use std::io::Read as _;

use flate2::read::GzDecoder;
use tokio::time::Instant;

use super::fake::Fake;
use super::{request, serve};
use crate::sample::roster_of;

#[tokio::test]
async fn the_page_tells_every_system_the_worst_first_in_vietnamese() {
    let served = serve(Fake::new()).await;
    let answer = served.get("/").await;
    let page = answer.text().replace('\u{a0}', " ");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(page.starts_with("<!doctype html>\n<html lang=\"vi\">"));
    let style = concat!("<style>", include_str!("../../../src/web/page/style.css"), "</style>");
    assert!(page.contains(style), "its digest is in the policy, to the byte");
    // For whoever wants to look at it.
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/overview.html"), &answer.body).unwrap();
    let order = [
        "Hệ thống định danh và xác thực điện tử (VNeID)",
        "&lt;b&gt;Hà Nội&lt;/b&gt; &amp; &quot;vùng phụ cận&quot;",
        "Dịch vụ công liên thông",
        "Cơ sở dữ liệu quốc gia về dân cư",
        "Cổng Dịch vụ công quốc gia",
        "Hệ thống thử nghiệm",
    ];
    let places: Vec<_> =
        order.map(|name| page.find(name).unwrap_or_else(|| panic!("{name}"))).into();
    assert!(places.is_sorted(), "{places:?}");
    for said in [
        "Gián đoạn từ 14:48 ngày 24/11/2026 (12 phút)",
        "Lỗi: chứng thư đã hết hạn",
        "chỉ tiêu 99,9%",
        "Bộ Công an",
        "Không giám sát",
        "Đang tắt: chờ văn bản đồng ý của &lt;chủ quản&gt;",
        "chứng thư &lt;hết hạn&gt; &amp; &quot;cũ&quot;",
        "Cập nhật lúc <time datetime=\"2026-11-24T08:00:00.000Z\">15:00:00 ngày 24/11/2026</time>",
        "<meta http-equiv=\"refresh\" content=\"30\">",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    for never in ["<script", "src=", "href=\"http", "url(", "@import", "style=\"", "<b>"] {
        assert!(!page.contains(never), "{never}");
    }
}

#[tokio::test]
async fn the_page_is_there_in_english_too() {
    let page = serve(Fake::new()).await.get("/?lang=en").await.text().replace('\u{a0}', " ");
    assert!(page.contains("<html lang=\"en\">"));
    assert!(page.contains("Down since 14:48 on 2026-11-24 (12 min)"), "{page}");
    assert!(page.contains("Error: tls expired"), "{page}");
}

#[tokio::test]
async fn a_large_roster_still_makes_a_page() {
    let mut roster = roster_of(12);
    let all: Vec<_> = roster.systems.iter().flat_map(|it| it.checks.clone()).collect();
    roster.systems[1].checks = all;
    let page = serve(Fake::of(roster)).await.get("/").await.text();
    assert!(page.contains("và 70 phép đo khác"));
    assert!(page.contains("120 phép đo"));
    let ten_thousand = serve(Fake::of(roster_of(1_000))).await.get("/").await;
    eprintln!("the page of 10,000 checks: {} bytes", ten_thousand.body.len());
    assert_eq!(ten_thousand.text().matches("<h2><span").count(), 1_000);
    assert!(ten_thousand.body.len() < 2_000_000);
}

#[tokio::test]
async fn metrics_are_the_same_compressed_or_not() {
    let served = serve(Fake::of(roster_of(100))).await;
    let open = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    let plain = served.send(request("GET", "/metrics", &[("accept", open)], "")).await;
    assert!(plain.header("content-type").starts_with("application/openmetrics-text"));
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.text().ends_with("# EOF\n"));
    let headers = [("accept", open), ("accept-encoding", "gzip")];
    let packed = served.send(request("GET", "/metrics", &headers, "")).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut unpacked = String::new();
    GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked).unwrap();
    let steady = |page: &str| {
        let lines = page.lines().filter(|line| !line.starts_with("process_"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(steady(&unpacked), steady(&plain.text()));
    assert!(unpacked.len() > 10 * packed.body.len(), "{} bytes", packed.body.len());

    let text = served.get("/metrics").await;
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.text().contains("\nthongsuot_checks{state=\"enabled\"} 1000\n"));
}

/// Prints what a scrape of ten thousand checks costs over HTTP, with the client's own work.
#[tokio::test]
async fn ten_thousand_checks_are_scraped() {
    let served = serve(Fake::of(roster_of(1_000))).await;
    for encoding in ["identity", "gzip"] {
        let begun = Instant::now();
        let answer =
            served.send(request("GET", "/metrics", &[("accept-encoding", encoding)], "")).await;
        assert!(answer.status.is_success());
        eprintln!("scrape, {encoding}: {} bytes in {:?}", answer.body.len(), begun.elapsed());
    }
}
