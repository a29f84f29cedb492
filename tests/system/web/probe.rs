//! `/probe`: what is answered where there is no probe, and compressed pages.

use super::{Fake, request, serve};

#[tokio::test]
async fn what_is_no_probe_has_its_status_and_says_what_to_do() {
    let served = serve(Fake::new()).await;
    for (query, status, says) in [
        ("module=none&target=a", 404, "--blackbox-config"),
        ("module=killed&target=a", 403, "killed"),
        ("module=full&target=a", 503, "ulimit"),
        ("module=other&target=a", 400, "Unknown module"),
        ("module=http_2xx", 400, "Target parameter is missing"),
    ] {
        let answer = served.get(&format!("/probe?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
        assert!(answer.text().contains(says), "{query}: {}", answer.text());
        assert!(answer.header("content-type").starts_with("text/plain"), "{query}");
    }
}

#[tokio::test]
async fn a_page_is_compressed_if_it_is_asked_for() {
    let served = serve(Fake::new()).await;
    let plain = served.get("/probe?target=a.vn").await;
    assert_eq!(plain.text(), "# a.vn\nprobe_success 1\n");
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let headers = [("accept-encoding", "gzip")];
    let packed = served.send(request("GET", "/probe?target=a.vn", &headers, "")).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&packed.body[..]);
    std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
    assert_eq!(text, plain.text());
}
