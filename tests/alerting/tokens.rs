//! Tokens of which the refreshing one works once: exchanged by a server that holds to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use thongsuot::alert::channel::{Sender, Sent, TokenStore};
use thongsuot::model::alerting::channel::TokenExchange;
use thongsuot::model::alerting::presets::{Settings, preset};
use thongsuot::model::id::ChannelId;
use thongsuot::model::time::Millis;

use crate::send::{NOW, Store, TIMEOUT, http, message, secret, sender_with};
use crate::web::{Reply, Web};

const DAY_MS: i64 = 86_400_000;

fn pair(number: u32) -> Reply {
    Reply::ok(&format!(
        r#"{{"access_token":"acc-{number}","refresh_token":"ref-{number}","expires_in":"90000"}}"#
    ))
}

fn good() -> Reply {
    Reply::ok(r#"{"error":0,"data":{"message_id":"m"}}"#)
}

/// A channel that exchanges its tokens with one server and sends over another.
fn ready(oauth: &Web, api: &Web, store: &Arc<Store>, first: &str) -> Sender {
    let token = TokenExchange {
        url: oauth.url("/v4/oa/access_token").parse().unwrap(),
        app_id: "42".to_owned(),
        secret_key: secret("bí mật".replace(['í', 'ậ'], "i").as_str()),
        refresh_token: secret(first),
    };
    let settings =
        Settings { url: Some(secret(&api.url(""))), token: Some(token), ..Settings::default() };
    let store: Arc<dyn TokenStore> = Arc::clone(store) as _;
    sender_with(http(preset("zalo-oa", settings).unwrap()), TIMEOUT, &store).unwrap()
}

async fn send(sender: &Sender, now: Millis) -> Sent {
    sender.send("2468", &message(), now).await
}

/// The access tokens that the API was shown.
fn shown(api: &Web) -> Vec<String> {
    api.asked().iter().map(|it| it.headers["access_token"].clone()).collect()
}

/// The refresh tokens that were exchanged.
fn used(oauth: &Web) -> Vec<String> {
    let field = |body: &str| {
        let mut fields = body.split('&').filter_map(|it| it.strip_prefix("refresh_token="));
        fields.next().unwrap().to_owned()
    };
    oauth.asked().iter().map(|it| field(&it.body)).collect()
}

#[tokio::test]
async fn a_pair_is_saved_before_it_is_used_and_outlives_us() {
    let oauth = Web::start(vec![pair(1), pair(2), pair(3)]).await;
    let api = Web::start(vec![good()]).await;
    let store = Arc::new(Store::default());
    let sender = ready(&oauth, &api, &store, "first");
    for _ in 0..2 {
        assert!(matches!(send(&sender, NOW).await, Sent::Accepted { .. }));
    }
    assert_eq!((used(&oauth), shown(&api)), (vec!["first".into()], vec!["acc-1".into(); 2]));
    let asked = oauth.one();
    assert_eq!(asked.path, "/v4/oa/access_token");
    assert_eq!(asked.headers["secret_key"], "bi mit");
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(asked.body, "refresh_token=first&app_id=42&grant_type=refresh_token");

    // A new process goes on with the stored pair, and renews it in time.
    let sender = ready(&oauth, &api, &store, "first");
    assert!(matches!(send(&sender, NOW).await, Sent::Accepted { .. }));
    assert_eq!(used(&oauth).len(), 1);
    assert!(matches!(send(&sender, NOW.plus_ms(2 * DAY_MS)).await, Sent::Accepted { .. }));
    assert_eq!(used(&oauth), ["first", "ref-1"]);
    assert_eq!(*store.saved.lock().unwrap(), ["ref-1", "ref-2"]);

    // Another token in the configuration begins anew: somebody authorised by hand.
    let sender = ready(&oauth, &api, &store, "by-hand");
    assert!(matches!(send(&sender, NOW).await, Sent::Accepted { .. }));
    assert_eq!(used(&oauth), ["first", "ref-1", "by-hand"]);
}

#[tokio::test]
async fn a_token_that_the_other_side_has_forgotten_is_renewed_once() {
    for expired in [
        Reply::ok(r#"{"error":-216,"message":"Access token is invalid"}"#),
        Reply::Says(401, "", "{}".to_owned()),
    ] {
        let oauth = Web::start(vec![pair(1), pair(2), pair(3)]).await;
        let api = Web::start(vec![expired.clone(), good()]).await;
        let store = Arc::new(Store::default());
        let sent = send(&ready(&oauth, &api, &store, "first"), NOW).await;
        assert_eq!(sent, Sent::Accepted { id: Some("m".to_owned()) });
        assert_eq!(shown(&api), ["acc-1", "acc-2"]);

        let stubborn = Web::start(vec![expired]).await;
        let sent = send(&ready(&oauth, &stubborn, &store, "first"), NOW).await;
        assert!(matches!(sent, Sent::Later { .. }), "{sent:?}");
        assert_eq!(shown(&stubborn).len(), 2);
    }
}

#[tokio::test]
async fn a_pair_that_can_not_be_saved_is_not_used_and_not_lost() {
    let oauth = Web::start(vec![pair(1), pair(2)]).await;
    let api = Web::start(vec![good()]).await;
    let store = Arc::new(Store::default());
    let sender = ready(&oauth, &api, &store, "first");
    *store.full.lock().unwrap() = true;
    for _ in 0..3 {
        let sent = send(&sender, NOW).await;
        let Sent::Later { why, .. } = &sent else { panic!("{sent:?}") };
        assert_eq!(why, "the new token pair can't be saved: disk full");
    }
    assert_eq!((api.asked().len(), oauth.asked().len()), (0, 1));
    *store.full.lock().unwrap() = false;
    assert!(matches!(send(&sender, NOW).await, Sent::Accepted { .. }));
    assert_eq!((shown(&api), oauth.asked().len()), (vec!["acc-1".into()], 1));
}

#[tokio::test]
async fn a_used_up_token_is_told_with_what_to_do_and_other_faults_are_tried_again() {
    let api = Web::start(vec![good()]).await;
    let store = Arc::new(Store::default());
    let used_up = Reply::ok(r#"{"error":-14020,"error_description":"Refresh token bí-mật"}"#);
    let oauth = Web::start(vec![used_up]).await;
    let sent = send(&ready(&oauth, &api, &store, "bí-mật"), NOW).await;
    let Sent::Refused { why } = &sent else { panic!("{sent:?}") };
    assert!(why.contains("authorise") && !why.contains("bí-mật"), "{why}");

    for (fault, told) in [
        (Reply::Says(500, "", "refresh bi-mat".to_owned()), "token: answers 500"),
        (Reply::ok(r#"{"error":-14014}"#), "token: answers 200 with error -14014"),
        (Reply::ok("{}"), "token: answers 200"),
    ] {
        let oauth = Web::start(vec![fault]).await;
        let sent = send(&ready(&oauth, &api, &store, "bi-mat"), NOW).await;
        assert_eq!(sent, Sent::Later { why: told.to_owned(), after: None });
    }
    assert!(api.asked().is_empty());
}

#[tokio::test]
async fn many_at_once_exchange_once() {
    let oauth = Web::start(vec![pair(1), pair(2)]).await;
    let api = Web::start(vec![good()]).await;
    let store = Arc::new(Store::default());
    let sender = Arc::new(ready(&oauth, &api, &store, "first"));
    let mut all = tokio::task::JoinSet::new();
    let accepted = Arc::new(std::sync::atomic::AtomicU32::new(0));
    for _ in 0..8 {
        let (sender, accepted) = (Arc::clone(&sender), Arc::clone(&accepted));
        all.spawn(async move {
            if matches!(send(&sender, NOW).await, Sent::Accepted { .. }) {
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while all.join_next().await.is_some() {}
    assert_eq!((accepted.load(Ordering::Relaxed), oauth.asked().len()), (8, 1));
    let id = ChannelId::new("kenh").unwrap();
    assert_eq!(store.pairs.lock().unwrap()[&id].access.reveal(), "acc-1");
}

/// After a reload the old sender ends what it has under way beside the new one.
#[tokio::test]
async fn two_senders_of_one_channel_use_no_token_twice() {
    let oauth = Web::start(vec![pair(1), pair(2), pair(3)]).await;
    let api = Web::start(vec![good()]).await;
    let store = Arc::new(Store::default());
    let [old, new] = [0, 1].map(|_| ready(&oauth, &api, &store, "first"));
    let both = async |now| {
        let (a, b) = tokio::join!(Box::pin(send(&old, now)), Box::pin(send(&new, now)));
        assert!(matches!((&a, &b), (Sent::Accepted { .. }, Sent::Accepted { .. })), "{a:?} {b:?}");
    };
    both(NOW).await;
    assert_eq!(used(&oauth), ["first"]);
    both(NOW.plus_ms(2 * DAY_MS)).await;
    assert_eq!(used(&oauth), ["first", "ref-1"]);
    assert_eq!(*store.saved.lock().unwrap(), ["ref-1", "ref-2"]);
}
