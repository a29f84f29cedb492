//! What a month of one system costs. Not a test: run it in a release build with
//! `cargo test --release --test system report::cost -- --ignored --nocapture`.

use thongsuot::model::id::SystemId;
use thongsuot::model::reason::Reason;
use thongsuot::model::span::Span;
use thongsuot::model::time::Millis;
use thongsuot::report::{Journal, month_of};
use tokio::time::Instant;

use super::kit::{DAY, NOVEMBER, NOW, OCTOBER, Story, contract, within};

#[tokio::test]
#[ignore = "a measurement"]
async fn a_month_of_one_system() {
    let checks = [("vneid-a", 30_000, true), ("vneid-b", 30_000, true), ("vneid-c", 30_000, false)];
    let mut story = Story::new();
    story.promise(OCTOBER - DAY, contract(999_000, &checks));
    let down: Vec<_> =
        (0..20).map(|it| (OCTOBER + it * DAY, OCTOBER + it * DAY + 400_000)).collect();
    for (id, interval, _) in checks {
        story.watch(id, interval, "hn-1", (OCTOBER - DAY, NOVEMBER + DAY), |at| {
            Some(if within(at, &down) { Reason::ConnectRefused } else { Reason::None })
        });
    }
    story.tell().await;
    let (reader, began) = (story.reader(), Instant::now());
    let journal = Journal::read(&reader).unwrap();
    let period = Span::new(Millis(OCTOBER), Millis(NOVEMBER)).unwrap();
    let id = SystemId::new("vneid").unwrap();
    let system = month_of(&reader, &journal, &id, period, Millis(NOW)).unwrap().unwrap();
    let took = began.elapsed();
    let results: i64 = system.checks.iter().map(|it| it.results).sum();
    println!("{results} results of a month of one system: {} ms", took.as_millis());
    assert_eq!(system.measured.unwrap().summary.count, 20);
}
