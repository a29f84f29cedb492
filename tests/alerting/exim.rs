//! Mail to Debian's Exim, read back from the mailbox by Python's own parser.

use thongsuot::alert::channel::Sent;
use thongsuot::model::alerting::channel::{ChannelKind, Email, MailSecurity};

use crate::debian_exim::{Exim, PASSWORD, USER, program};
use crate::send::{NOW, SUBJECT, TIMEOUT, message, secret, sender};
use crate::skip::skip;

fn channel(exim: &Exim, security: MailSecurity, port: u16) -> Email {
    Email {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        login: Some((USER.to_owned(), secret(PASSWORD))),
        from: "Giám sát dịch vụ công <giamsat@example.gov.vn>".to_owned(),
        extra_roots_pem: vec![exim.root_pem.clone()],
    }
}

#[tokio::test]
async fn a_real_server_delivers_a_message_that_reads_as_written() {
    let Some(program) = program() else {
        return skip("mail over Exim", "exim4 or python3 is not installed");
    };
    let exim = Exim::start(&program);
    let ready = |email: Email| sender(ChannelKind::Email(Box::new(email)), TIMEOUT).unwrap();
    let to = "Nguyễn Văn An <an@example.gov.vn>";
    let ways = [
        (MailSecurity::StartTls, exim.ports[0]),
        (MailSecurity::Opportunistic, exim.ports[0]),
        (MailSecurity::Implicit, exim.ports[1]),
    ];
    for (count, (security, port)) in (1..).zip(ways) {
        let sent = ready(channel(&exim, security, port)).send(to, &message(), NOW).await;
        assert!(matches!(&sent, Sent::Accepted { id: Some(id) } if id.contains("OK")), "{sent:?}");
        let got = exim.mailbox(count);
        assert_eq!(got["headers"]["subject"], SUBJECT, "{security:?}");
        assert_eq!(got["text"].as_str().unwrap().trim_end().replace("\r\n", "\n"), message().text);
        assert_eq!(got["html"].as_str().unwrap().trim_end().replace("\r\n", "\n"), message().html);
        assert_eq!(got["type"], "multipart/alternative");
        assert_eq!(got["parts"], serde_json::json!(["text/plain", "text/html"]));
        assert_eq!(got["headers"]["from"], "Giám sát dịch vụ công <giamsat@example.gov.vn>");
        assert_eq!(got["headers"]["to"], to);
        assert_eq!(got["headers"]["auto-submitted"], "auto-generated");
        assert_eq!(got["headers"]["x-thongsuot-key"], message().key);
        assert_eq!(got["ascii"], true);
        println!("{security:?}: {}", got["headers"]["subject"].as_str().unwrap());
    }

    let channel = channel(&exim, MailSecurity::StartTls, exim.ports[0]);
    let sent = ready(channel.clone()).send("khong-co@example.gov.vn", &message(), NOW).await;
    assert!(matches!(&sent, Sent::Refused { why } if why.contains("550 no such user")), "{sent:?}");

    let mut wrong = channel.clone();
    wrong.login = Some(("giamsat".to_owned(), secret("sai")));
    let sent = ready(wrong).send(to, &message(), NOW).await;
    assert_eq!(sent, Sent::Later { why: "AUTH: 535".to_owned(), after: None });

    let mut untrusted = channel;
    untrusted.extra_roots_pem.clear();
    let sent = ready(untrusted).send(to, &message(), NOW).await;
    let Sent::Later { why, .. } = sent else { panic!("{sent:?}") };
    assert!(why.starts_with("STARTTLS: ") && why.contains("certificate"), "{why}");
}
