//! What each built-in HTTP channel sends, field by field as its API documents it, and what it
//! makes of the API's own answers.

use serde_json::{Value, json};
use thongsuot::alert::channel::Sent;
use thongsuot::model::alerting::presets::{PRESETS, Settings, preset};

use crate::send::{NOW, TIMEOUT, http, message, secret, sender};
use crate::web::{Asked, Reply, Web};

/// Every value that any preset needs.
const VALUES: [(&str, &str); 10] = [
    ("token", "1234:t0k3n"),
    ("template", "7895417"),
    ("user", "nguoi<dung>"),
    ("password", "m&t khau\""),
    ("brand", "BoTuPhap"),
    ("cp_code", "BTP"),
    ("contract", "555"),
    ("contract_type", "1"),
    ("agent", "99"),
    ("account", "btp"),
];

/// What a preset asks of a server that answers so, and what comes of it.
async fn sent(kind: &str, to: &str, answer: &str) -> (Asked, Sent) {
    let server = Web::start(vec![Reply::ok(answer)]).await;
    let values = VALUES.map(|(name, value)| (name.to_owned(), secret(value))).to_vec();
    let settings = Settings {
        url: Some(secret(&server.url(if has_path(kind) { "" } else { "/duong/dan" }))),
        values,
        ..Settings::default()
    };
    let sender = sender(http(preset(kind, settings).unwrap()), TIMEOUT).unwrap();
    let sent = sender.send(to, &message(), NOW).await;
    let told = format!("{sent:?}{sender:?}");
    assert!(!told.contains("t0k3n") && !told.contains("khau"), "{told}");
    (server.one(), sent)
}

/// Those with a base address of their own say where messages go.
fn has_path(kind: &str) -> bool {
    !matches!(kind, "webhook" | "teams" | "slack" | "mattermost" | "sms-viettel" | "sms-vnpt")
}

#[track_caller]
fn body(asked: &Asked) -> Value {
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.headers["content-type"], "application/json; charset=utf-8");
    serde_json::from_str(&asked.body).unwrap_or_else(|why| panic!("{why}: {}", asked.body))
}

#[track_caller]
fn is_later(sent: &Sent) {
    assert!(matches!(sent, Sent::Later { .. }), "{sent:?}");
}

#[tokio::test]
async fn webhook() {
    let (asked, sent) = sent("webhook", "phong-truc", "").await;
    assert_eq!(sent, Sent::Accepted { id: None });
    let it = message();
    assert_eq!(
        body(&asked),
        json!({
            "version": 1, "key": it.key, "incident": it.incident, "purpose": "page",
            "severity": "page", "system": "VNeID", "to": "phong-truc", "subject": it.subject,
            "text": it.text, "short": it.short, "ack_url": it.ack_url,
            "incident_url": it.incident_url,
        })
    );
}

#[tokio::test]
async fn zalo_bot() {
    let good = r#"{"ok":true,"result":{"message_id":"82599fa32f56d00e8941","date":1749632637199}}"#;
    let (asked, accepted) = sent("zalo-bot", "6ede9afa66b88fe6d6a9", good).await;
    assert_eq!(accepted, Sent::Accepted { id: Some("82599fa32f56d00e8941".to_owned()) });
    assert_eq!(asked.path, "/bot1234:t0k3n/sendMessage");
    let text = message().text;
    assert_eq!(body(&asked), json!({ "chat_id": "6ede9afa66b88fe6d6a9", "text": text }));
    let bad = r#"{"ok":false,"error_code":401,"description":"bot1234:t0k3n is unknown"}"#;
    is_later(&sent("zalo-bot", "x", bad).await.1);
}

#[tokio::test]
async fn zalo_oa_to_a_user_and_to_a_group() {
    let good = r#"{"data":{"message_id":"eb7b","user_id":"2468"},"error":0,"message":"Success"}"#;
    let (asked, accepted) = sent("zalo-oa", "2468", good).await;
    assert_eq!(accepted, Sent::Accepted { id: Some("eb7b".to_owned()) });
    assert_eq!(asked.path, "/v3.0/oa/message/cs");
    assert!(asked.headers.contains_key("access_token"));
    assert!(!asked.headers.contains_key("authorization"));
    let text = json!({ "text": message().text });
    assert_eq!(body(&asked), json!({ "recipient": { "user_id": "2468" }, "message": text }));
    let (asked, _) = sent("zalo-oa", "group:f414c8f7", good).await;
    assert_eq!(asked.path, "/v3.0/oa/group/message");
    assert_eq!(body(&asked)["recipient"], json!({ "group_id": "f414c8f7" }));
    is_later(&sent("zalo-oa", "1", r#"{"error":-224,"message":"package"}"#).await.1);
}

#[tokio::test]
async fn zalo_zns() {
    let good = r#"{"error":0,"message":"Success","data":{"msg_id":"a9d0"}}"#;
    let (asked, accepted) = sent("zalo-zns", "84912345678", good).await;
    assert_eq!(accepted, Sent::Accepted { id: Some("a9d0".to_owned()) });
    assert_eq!(asked.path, "/message/template");
    let body = body(&asked);
    assert_eq!(body["phone"], "84912345678");
    assert_eq!(body["template_id"], "7895417");
    assert_eq!(body["template_data"]["ma"], "SC-2026-0012");
    assert_eq!(body["template_data"]["he_thong"], "VNeID");
    assert!(body["template_data"].as_object().unwrap().values().all(Value::is_string));
    assert_eq!(body["tracking_id"], "SC-2026-0012-page");
    is_later(&sent("zalo-zns", "84912345678", r#"{"error":-118,"message":"x"}"#).await.1);
}

#[tokio::test]
async fn sms_viettel() {
    let answer = |result| {
        format!(
            "<?xml version='1.0'?><S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <S:Body><ns2:wsCpMtResponse xmlns:ns2=\"http://impl.bulkSms.ws/\"><return>\
             <message>x</message><result>{result}</result></return></ns2:wsCpMtResponse></S:Body>\
             </S:Envelope>"
        )
    };
    let (asked, accepted) = sent("sms-viettel", "84912345678", &answer(1)).await;
    assert_eq!(accepted, Sent::Accepted { id: None });
    assert_eq!(asked.headers["content-type"], "text/xml; charset=utf-8");
    let xml = &asked.body;
    assert!(
        xml.contains("xmlns:impl=\"http://impl.bulkSms.ws/\"") && xml.contains("<impl:wsCpMt>")
    );
    for (name, value) in [
        ("User", "nguoi&lt;dung&gt;"),
        ("Password", "m&amp;t khau&quot;"),
        ("CPCode", "BTP"),
        ("UserID", "84912345678"),
        ("ReceiverID", "84912345678"),
        ("ServiceID", "BoTuPhap"),
        ("CommandCode", "bulksms"),
        ("ContentType", "0"),
    ] {
        assert!(xml.contains(&format!("<{name}>{value}</{name}>")), "{name}: {xml}");
    }
    let content = xml.split("<Content>").nth(1).unwrap().split("</Content>").next().unwrap();
    assert!(content.is_ascii() && content.len() <= 180, "{content}");
    assert!(content.contains("&amp; &lt;chua&gt; tiep nhan"), "{content}");
    is_later(&sent("sms-viettel", "84912345678", &answer(0)).await.1);
}

#[tokio::test]
async fn sms_vnpt() {
    let good = r#"{"RPLY":{"name":"send_sms_list","ERROR":"0","ERROR_DESC":"success"}}"#;
    let (asked, accepted) = sent("sms-vnpt", "84912345678", good).await;
    assert_eq!(accepted, Sent::Accepted { id: None });
    let it = &body(&asked)["RQST"];
    for (name, value) in [
        ("name", "send_sms_list"),
        ("LABELID", "BoTuPhap"),
        ("CONTRACTTYPEID", "1"),
        ("CONTRACTID", "555"),
        ("TEMPLATEID", "7895417"),
        ("SCHEDULETIME", ""),
        ("MOBILELIST", "84912345678"),
        ("ISTELCOSUB", "0"),
        ("AGENTID", "99"),
        ("APIUSER", "nguoi<dung>"),
        ("APIPASS", "m&t khau\""),
        ("USERNAME", "btp"),
        ("DATACODING", "0"),
    ] {
        assert_eq!(it[name], value, "{name}");
    }
    assert!(it["REQID"].is_string());
    assert_eq!(it["PARAMS"][0]["NUM"], "1");
    let content = it["PARAMS"][0]["CONTENT"].as_str().unwrap();
    // What XML knows is refused there.
    assert!(content.is_ascii() && !content.contains(['&', '<', '>', '"', '\'']), "{content}");
    is_later(&sent("sms-vnpt", "84912345678", r#"{"RPLY":{"ERROR":"-1"}}"#).await.1);
}

#[tokio::test]
async fn sms_esms() {
    let good = r#"{"CodeResult":"100","CountRegenerate":0,"SMSID":"dd1e-1"}"#;
    let (asked, accepted) = sent("sms-esms", "84912345678", good).await;
    assert_eq!(accepted, Sent::Accepted { id: Some("dd1e-1".to_owned()) });
    assert_eq!(asked.path, "/MainService.svc/json/SendMultipleMessage_V4_post_json/");
    let it = body(&asked);
    assert_eq!(it["ApiKey"], "nguoi<dung>");
    assert_eq!(it["SecretKey"], "m&t khau\"");
    assert_eq!((&it["Brandname"], &it["SmsType"]), (&json!("BoTuPhap"), &json!("2")));
    assert_eq!((&it["IsUnicode"], &it["Phone"]), (&json!("0"), &json!("84912345678")));
    assert_eq!(it["Content"], message().short);
    is_later(&sent("sms-esms", "84912345678", r#"{"CodeResult":"103"}"#).await.1);
}

#[tokio::test]
async fn teams() {
    let (asked, accepted) = sent("teams", "-", "").await;
    assert!(matches!(accepted, Sent::Accepted { .. }));
    let it = body(&asked);
    assert_eq!(it["type"], "message");
    let attachment = &it["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    let card = &attachment["content"];
    assert_eq!(card["type"], "AdaptiveCard");
    let subject = ['[', ']', '(', ')']
        .iter()
        .fold(message().subject, |text, c| text.replace(*c, &format!("\\{c}")));
    assert_eq!(card["body"][0]["text"], subject);
    let said = card["body"][1]["text"].as_str().unwrap();
    assert!(said.contains("Gián đoạn từ 08:14 ngày 23/11 \\(đã 12 phút\\)."), "{said}");
    let actions: Vec<_> = card["actions"].as_array().unwrap().iter().map(|it| &it["url"]).collect();
    assert_eq!(actions, [&json!(message().ack_url), &json!(message().incident_url)]);
}

#[tokio::test]
async fn slack_and_mattermost() {
    let (asked, accepted) = sent("slack", "-", "ok").await;
    assert!(matches!(accepted, Sent::Accepted { .. }));
    assert_eq!(body(&asked)["text"], message().text);
    is_later(&sent("slack", "-", "invalid_payload").await.1);
    let (asked, accepted) = sent("mattermost", "truc-ban", "ok").await;
    assert!(matches!(accepted, Sent::Accepted { .. }));
    assert_eq!(body(&asked)["channel"], "truc-ban");
    let (asked, _) = sent("mattermost", "-", "ok").await;
    assert_eq!(body(&asked).get("channel"), None);
}

/// What a watched server says may stand in a message: in a chat it must not be more than text.
#[tokio::test]
async fn no_server_writes_links_or_mentions_into_a_chat() {
    let ours = &message().links[0];
    let evil = "[TIẾP NHẬN](https://evil.vn/a) @all https://evil.vn <!here> <https://evil.vn|x>";
    for (kind, never) in [
        ("teams", &["](", "s://evil", "@all"][..]),
        ("mattermost", &["](", "s://evil", "@all"]),
        ("slack", &["<!here>", "<https"]),
    ] {
        let server = Web::start(vec![Reply::ok("ok")]).await;
        let url = Some(secret(&server.url("/duong/dan")));
        let channel = preset(kind, Settings { url, ..Settings::default() }).unwrap();
        let mut it = message();
        it.subject.push_str(evil);
        it.text = format!("{evil}\nTIẾP NHẬN: {ours}\n{evil}");
        sender(http(channel), TIMEOUT).unwrap().send("-", &it, NOW).await;
        let sent = server.one().body;
        for never in never {
            assert!(!sent.contains(never), "{kind}: {never}: {sent}");
        }
        assert!(sent.contains(&format!("TIẾP NHẬN: {ours}\\n")), "{kind}: {sent}");
    }
}

#[tokio::test]
async fn telegram() {
    let good = r#"{"ok":true,"result":{"message_id":42}}"#;
    // Plain text: with a `parse_mode` a server's words would be markup.
    let (asked, accepted) = sent("telegram", "-1001", good).await;
    assert_eq!(accepted, Sent::Accepted { id: Some("42".to_owned()) });
    assert_eq!(asked.path, "/bot1234:t0k3n/sendMessage");
    let it = body(&asked);
    assert_eq!((&it["chat_id"], &it["text"]), (&json!("-1001"), &json!(message().text)));
    assert_eq!(it.get("parse_mode"), None);
}

/// A new preset must be looked at here.
#[test]
fn every_preset_has_a_test() {
    let kinds: Vec<_> = PRESETS.iter().map(|it| it.kind).collect();
    assert_eq!(
        kinds.join(" "),
        "webhook zalo-bot zalo-oa zalo-zns sms-viettel sms-vnpt sms-esms teams slack mattermost \
         telegram"
    );
}
