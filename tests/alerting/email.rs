//! Mail to servers that follow a script: what each answer means, and that no server holds us.

use std::time::Duration;

use thongsuot::alert::channel::Sent;
use thongsuot::model::alerting::channel::{ChannelKind, Email, MailSecurity};
use tokio::time::Instant;

use crate::send::{NOW, TIMEOUT, message, secret, sender};
use crate::smtp::{Manner, Smtp, injected};

const TO: &str = "Nguyễn Văn An <an@example.gov.vn>";

fn email(port: u16, security: MailSecurity) -> Email {
    Email {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        login: None,
        from: "Giám sát <giamsat@example.gov.vn>".to_owned(),
        extra_roots_pem: Vec::new(),
    }
}

async fn send(email: Email, timeout: Duration) -> Sent {
    let sender = sender(ChannelKind::Email(Box::new(email)), timeout).unwrap();
    sender.send(TO, &message(), NOW).await
}

async fn plain(manner: Manner) -> Sent {
    let server = Smtp::start(manner, &[]).await;
    send(email(server.address.port(), MailSecurity::None), TIMEOUT).await
}

#[tokio::test]
async fn a_message_arrives_whole_and_in_seven_bits() {
    let server = Smtp::start(Manner::Good, &["8BITMIME"]).await;
    let sent = send(email(server.address.port(), MailSecurity::None), TIMEOUT).await;
    assert_eq!(sent, Sent::Accepted { id: Some("2.0.0 queued as 4XyZ".to_owned()) });
    let seen = server.seen();
    assert!(seen.iter().any(|it| it == "MAIL FROM:<giamsat@example.gov.vn>"), "{seen:?}");
    assert!(seen.iter().any(|it| it == "RCPT TO:<an@example.gov.vn>"), "{seen:?}");
    assert!(seen.iter().all(|it| it.is_ascii() && it.len() <= 998), "{seen:?}");
}

#[tokio::test]
async fn the_same_delivery_has_the_same_id_and_one_incident_is_one_thread() {
    let server = Smtp::start(Manner::Good, &[]).await;
    let kind = ChannelKind::Email(Box::new(email(server.address.port(), MailSecurity::None)));
    let sender = sender(kind, TIMEOUT).unwrap();
    let mut other = message();
    other.key.push_str("/again");
    for it in [&message(), &message(), &other] {
        assert!(matches!(sender.send(TO, it, NOW).await, Sent::Accepted { .. }));
    }
    let header = |name: &str| -> Vec<String> {
        server.seen().into_iter().filter(|it| it.starts_with(name)).collect()
    };
    let ids = header("Message-ID: ");
    assert_eq!((ids.len(), &ids[0]), (3, &ids[1]));
    assert_ne!(ids[1], ids[2]);
    let threads = header("References: ");
    assert_eq!(threads.len(), 3);
    assert!(threads.iter().all(|it| *it == threads[0] && !it.contains(&ids[0][12..])));
    assert_eq!(header("In-Reply-To: ").len(), 3);
    assert_eq!(header("Auto-Submitted: auto-generated").len(), 3);
    let date = header("Date: ");
    assert!(date.iter().all(|it| it.starts_with("Date: Mon, 23 Nov 2026 01:14:00 ")), "{date:?}");
}

/// What an answer of the server means: `later` or `refused`, and what is told of it.
#[tokio::test]
async fn an_answer_is_about_now_or_about_this_recipient() {
    for (start, answer, expected) in [
        ("GREET", "554 5.7.1 you are blocked", "later connect: 554 5.7.1 you are blocked"),
        ("GREET", "421 too busy", "later connect: 421 too busy"),
        ("MAIL", "530 5.7.0 authenticate first", "later MAIL: 530 5.7.0 authenticate first"),
        ("MAIL", "553 5.1.8 who is that", "later MAIL: 553 5.1.8 who is that"),
        ("MAIL", "452 4.3.1 no space", "later MAIL: 452 4.3.1 no space"),
        ("RCPT", "550 5.1.1 no such user", "refused RCPT: 550 5.1.1 no such user"),
        ("RCPT", "450 4.2.1 busy", "later RCPT: 450 4.2.1 busy"),
        ("DATA", "554 5.5.1 no", "refused DATA: 554 5.5.1 no"),
        ("BODY", "552 5.3.4 too large", "refused message: 552 5.3.4 too large"),
        ("BODY", "451 4.3.0 later", "later message: 451 4.3.0 later"),
        ("RCPT", "550-5.1.1 two\r\n550 \u{1b}[31mlines", "refused RCPT: 550 5.1.1 two lines"),
        ("RCPT", "what?", "later RCPT: "),
    ] {
        let sent = plain(Manner::Answers(start, answer)).await;
        let told = match sent {
            Sent::Accepted { .. } => "accepted".to_owned(),
            Sent::Later { why, .. } => format!("later {why}"),
            Sent::Refused { why } => format!("refused {why}"),
        };
        assert!(told.starts_with(expected), "{start} {answer}: {told}");
        assert!(!told.contains(['\n', '\u{1b}']), "{told:?}");
    }
}

/// Postfix repeats the recipient, spam filters repeat links.
#[tokio::test]
async fn what_a_server_repeats_is_told_without_addresses_names_and_links() {
    let says = "550 5.1.1 <An@example.gov.vn> (an, from giamsat@example.gov.vn, nguoi-gui): see \
                https://giamsat.example.gov.vn/a/SC-2026-0012_1_an_0123456789abcdef";
    for (start, answer) in [("RCPT", says), ("BODY", says), ("BODY", &*says.replace("550", "250"))]
    {
        let answer: &'static str = answer.to_owned().leak();
        let server = Smtp::start(Manner::Answers(start, answer), &["AUTH PLAIN"]).await;
        let mut it = email(server.address.port(), MailSecurity::None);
        it.login = Some(("nguoi-gui".to_owned(), secret("mật khẩu")));
        let mut message = message();
        message.text.push_str(&says[says.len() - 68..]);
        let sender = sender(ChannelKind::Email(Box::new(it)), TIMEOUT).unwrap();
        let sent = format!("{:?}", sender.send(TO, &message, NOW).await);
        for secret in ["An@", "giamsat", "nguoi-gui", "0123456789abcdef", "SC-2026-0012_1"] {
            assert!(!sent.contains(secret), "{secret}: {sent}");
        }
        assert!(sent.contains("5.1.1 <***> (an, from ***, ***): see ***"), "{sent}");
    }
}

#[tokio::test]
async fn greylisting_is_waited_out() {
    let server = Smtp::start(Manner::Greylists, &[]).await;
    let to = || email(server.address.port(), MailSecurity::None);
    let first = send(to(), TIMEOUT).await;
    assert!(matches!(&first, Sent::Later { why, .. } if why.contains("451")), "{first:?}");
    assert!(matches!(send(to(), TIMEOUT).await, Sent::Accepted { .. }));
}

#[tokio::test]
async fn one_deadline_holds_whatever_the_server_does() {
    for manner in [Manner::Drips, Manner::SilentAfterBody] {
        let server = Smtp::start(manner, &[]).await;
        let from = Instant::now();
        let timeout = Duration::from_millis(700);
        let sent = send(email(server.address.port(), MailSecurity::None), timeout).await;
        assert!(matches!(&sent, Sent::Later { why, .. } if why.contains("no end")), "{sent:?}");
        assert!((timeout..timeout + Duration::from_secs(5)).contains(&from.elapsed()));
    }
}

#[tokio::test]
async fn a_message_that_is_taken_is_sent_even_if_nobody_says_goodbye() {
    let sent = plain(Manner::SilentAtQuit).await;
    assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
}

#[tokio::test]
async fn a_server_that_is_down_is_asked_later() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let sent = send(email(port, MailSecurity::None), TIMEOUT).await;
    assert!(matches!(&sent, Sent::Later { why, .. } if why.starts_with("connect: ")), "{sent:?}");
}

#[tokio::test]
async fn answers_that_were_injected_before_tls_are_no_answers() {
    for security in [MailSecurity::StartTls, MailSecurity::Opportunistic] {
        let (address, root, _server) = injected().await;
        let mut it = email(address.port(), security);
        it.extra_roots_pem = vec![root];
        let sent = send(it, TIMEOUT).await;
        assert!(
            matches!(&sent, Sent::Later { why, .. } if why.starts_with("STARTTLS")),
            "{sent:?}"
        );
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_where_it_is_required() {
    let server = Smtp::start(Manner::Good, &["AUTH PLAIN LOGIN"]).await;
    let mut it = email(server.address.port(), MailSecurity::StartTls);
    it.login = Some(("giamsat".to_owned(), secret("hunter2")));
    let sent = send(it.clone(), TIMEOUT).await;
    assert!(matches!(&sent, Sent::Later { why, .. } if why.contains("STARTTLS")), "{sent:?}");
    it.security = MailSecurity::Opportunistic;
    let sent = send(it.clone(), TIMEOUT).await;
    assert!(matches!(&sent, Sent::Later { why, .. } if why.contains("plain text")), "{sent:?}");
    let seen = server.seen().join("\n");
    assert!(!seen.contains("MAIL") && !seen.contains("AUTH"), "{seen}");
    // Without a password there is nothing to lose but the message.
    it.login = None;
    assert!(matches!(send(it, TIMEOUT).await, Sent::Accepted { .. }));
}

#[tokio::test]
async fn a_refused_password_can_be_mended_and_is_never_told() {
    let answer = Manner::Answers("AUTH", "535 5.7.8 bad: hunter2 AGdpYW1zYXQAaHVudGVyMg==");
    let server = Smtp::start(answer, &["AUTH PLAIN"]).await;
    let mut it = email(server.address.port(), MailSecurity::None);
    it.login = Some(("giamsat".to_owned(), secret("hunter2")));
    let sent = send(it.clone(), TIMEOUT).await;
    assert_eq!(sent, Sent::Later { why: "AUTH: 535".to_owned(), after: None });
    let sender = sender(ChannelKind::Email(Box::new(it)), TIMEOUT).unwrap();
    assert!(!format!("{sender:?}").contains("hunter2"));
}

#[tokio::test]
async fn nothing_said_becomes_a_header_of_its_own() {
    let server = Smtp::start(Manner::Good, &[]).await;
    let kind = ChannelKind::Email(Box::new(email(server.address.port(), MailSecurity::None)));
    let sender = sender(kind, TIMEOUT).unwrap();
    let mut evil = message();
    evil.subject = "a\r\nBcc: x@y.vn\r\n\r\n<b>".to_owned();
    evil.key = "k\r\nBcc: x@y.vn".to_owned();
    evil.incident = "i\nBcc: x@y.vn".to_owned();
    assert!(matches!(sender.send(TO, &evil, NOW).await, Sent::Accepted { .. }));
    let seen = server.seen();
    assert!(!seen.iter().any(|it| it.starts_with("Bcc")), "{seen:?}");
    for bad in ["", "an", "a@b.vn\r\nRCPT TO:<x@y.vn>", "a@b.vn, c@d.vn"] {
        assert!(matches!(sender.send(bad, &message(), NOW).await, Sent::Refused { .. }), "{bad:?}");
    }
}
