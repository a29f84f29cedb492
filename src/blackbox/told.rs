//! How a probe went, in words: what `debug=true` shows, in the three parts of the original.

use std::fmt::Write as _;

use crate::model::observation::Observation;
use crate::model::phases::{Phase, Phases};

use super::answer::Answered;
use super::module::Module;

/// A page for a person who asks why. No secret of the module is in it.
#[must_use]
pub fn told(module: &Module, target: &str, seen: &Observation, answered: &Answered) -> String {
    let mut text = String::from("Logs for the probe:\n");
    let mut log = Log { module: &module.name, target, text: &mut text };
    log.line("info", "Beginning probe", &[("prober", module.prober.name().to_owned())]);
    steps(&mut log, seen);
    let duration = ("duration_seconds", seconds(seen.phases.total().0));
    match &answered.why {
        None => log.line("info", "Probe succeeded", &[duration]),
        Some(why) => log.line("error", "Probe failed", &[("err", why.clone()), duration]),
    }
    let metrics = &answered.metrics;
    let _ = write!(
        text,
        "\n\n\nMetrics that would have been returned:\n{metrics}\n\n\nModule configuration:\n{}",
        module.shown
    );
    text
}

fn steps(log: &mut Log<'_>, seen: &Observation) {
    let detail = &seen.detail;
    if !detail.addresses.is_empty() {
        let all: Vec<_> = detail.addresses.iter().map(ToString::to_string).collect();
        log.line("info", "Resolved target address", &[("ip", all.join(","))]);
    }
    for hop in &detail.hops {
        let mut pairs = vec![("url", hop.url.clone())];
        pairs.extend(hop.remote.map(|it| ("remote", it.to_string())));
        pairs.extend(hop.status.map(|it| ("status_code", it.to_string())));
        pairs.extend(lengths(hop.phases));
        log.line("info", "Roundtrip", &pairs);
    }
    if detail.hops.is_empty() {
        let remote = detail.remote.map(|it| ("remote", it.to_string()));
        let pairs: Vec<_> = remote.into_iter().chain(lengths(seen.phases)).collect();
        log.line("info", "Phases", &pairs);
    }
    if let Some(tls) = &detail.tls {
        let mut pairs = vec![("version", tls.version.to_owned()), ("cipher", tls.cipher.clone())];
        if let Some((reason, why)) = &tls.fault {
            pairs.extend([("reason", reason.as_str().to_owned()), ("err", why.clone())]);
        }
        log.line("info", "TLS", &pairs);
    }
    for line in &detail.answer {
        log.line("info", "Answer", &[("line", line.clone())]);
    }
}

fn lengths(phases: Phases) -> Vec<(&'static str, String)> {
    Phase::ALL.into_iter().map(|it| (it.as_str(), seconds(phases.get(it).0))).collect()
}

fn seconds(micros: u32) -> String {
    format!("{}", f64::from(micros) / 1e6)
}

/// Lines of `name=value`, a value in quotes if it would not be one word.
struct Log<'a> {
    module: &'a str,
    target: &'a str,
    text: &'a mut String,
}

impl Log<'_> {
    fn line(&mut self, level: &str, message: &str, pairs: &[(&str, String)]) {
        let (module, target) = (quoted(self.module), quoted(self.target));
        let head = format!("module={module} target={target} level={level} msg={}", quoted(message));
        self.text.push_str(&head);
        for (name, value) in pairs {
            let _ = write!(self.text, " {name}={}", quoted(value));
        }
        self.text.push('\n');
    }
}

fn quoted(value: &str) -> String {
    let plain = |sign: char| !sign.is_whitespace() && !sign.is_control() && !"=\"\\".contains(sign);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    serde_json::Value::from(value).to_string()
}
