//! Comparing two answers, and what may differ.

use super::kit::{Metrics, Rivals};

/// The headings of `docs/blackbox.md` that explain what differs.
pub(super) const DOC: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/blackbox.md"));

/// One difference that must be there, by the start of a series' name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Differ {
    /// Only we have it.
    Ours(&'static str),
    /// Only they have it.
    Theirs(&'static str),
    /// We say the first, they the second.
    Value(&'static str, f64, f64),
    /// Both have it with a value of its own, which is not compared; we say more than this.
    Above(&'static str, f64),
}

impl Differ {
    fn series(&self) -> &'static str {
        match self {
            Self::Ours(it) | Self::Theirs(it) | Self::Value(it, ..) | Self::Above(it, _) => it,
        }
    }
}

/// A server, a module, and what differs, with the heading that says why.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) module: &'a str,
    pub(super) target: String,
    pub(super) success: bool,
    pub(super) differs: Vec<(&'static str, Vec<Differ>)>,
}

/// A case in which nothing differs.
pub(super) fn same(module: &str, target: impl Into<String>, success: bool) -> Case<'_> {
    Case { module, target: target.into(), success, differs: Vec::new() }
}

impl Case<'_> {
    /// The same, in which `differs` for what the heading says.
    pub(super) fn but(mut self, heading: &'static str, differs: &[Differ]) -> Self {
        self.differs.push((heading, differs.to_vec()));
        self
    }
}

/// Runs every case, and tells of all that is not as it must be.
pub(super) async fn compare(rivals: &Rivals, cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for case in cases {
        let (ours, theirs) = rivals.both(case.module, &case.target).await;
        let mut found = against(case, &ours, &theirs);
        found.extend(sound(&ours));
        if !found.is_empty() {
            let (module, target) = (case.module, &case.target);
            wrong.push(format!("{module} {target}:\n  {}", found.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Times are each exporter's own; only that they are there is compared.
fn is_time(series: &str) -> bool {
    series.contains("duration_seconds") || series.starts_with("probe_dns_lookup_time_seconds")
}

/// Without what blackbox_exporter has since a later version than Debian's: two metrics, and a
/// label.
fn comparable(metrics: &Metrics) -> Metrics {
    let newer = ["probe_timeout_seconds", "probe_tls_cipher_info"];
    let own = |series: &String| !newer.iter().any(|it| series.starts_with(it));
    let kept = metrics.iter().filter(|(series, _)| own(series));
    kept.map(|(series, value)| (without_serial(series), *value)).collect()
}

fn without_serial(series: &str) -> String {
    let Some(at) = series.find(",serialnumber=\"") else { return series.to_owned() };
    let rest = &series[at + ",serialnumber=\"".len()..];
    let end = rest.find('"').unwrap() + 1;
    format!("{}{}", &series[..at], &rest[end..])
}

fn against(case: &Case<'_>, ours: &Metrics, theirs: &Metrics) -> Vec<String> {
    let (ours, theirs) = (comparable(ours), comparable(theirs));
    let mut wrong = Vec::new();
    if (ours["probe_success"] > 0.5) != case.success {
        wrong.push(format!("probe_success is not {}", case.success));
    }
    let differs: Vec<&Differ> = case.differs.iter().flat_map(|(_, all)| all).collect();
    for (heading, _) in &case.differs {
        if !DOC.contains(&format!("### {heading}\n")) {
            wrong.push(format!("docs/blackbox.md does not explain `{heading}`"));
        }
    }
    let mut met = vec![false; differs.len()];
    for series in ours.keys().chain(theirs.keys().filter(|it| !ours.contains_key(*it))) {
        let pair = (ours.get(series).copied(), theirs.get(series).copied());
        let named = differs.iter().position(|it| series.starts_with(it.series()));
        let fits = match named.map(|at| *differs[at]) {
            Some(Differ::Ours(_)) => pair.0.is_some() && pair.1.is_none(),
            Some(Differ::Theirs(_)) => pair.0.is_none() && pair.1.is_some(),
            Some(Differ::Value(_, us, them)) => pair == (Some(us), Some(them)),
            Some(Differ::Above(_, least)) => {
                pair.0.is_some_and(|it| it > least) && pair.1.is_some()
            }
            None if is_time(series) => pair.0.is_some() && pair.1.is_some(),
            None => pair.0 == pair.1,
        };
        if let Some(at) = named {
            met[at] = true;
        }
        if !fits {
            wrong.push(format!("{series}: ours {:?}, theirs {:?}", pair.0, pair.1));
        }
    }
    for (differ, met) in differs.iter().zip(met) {
        if !met {
            wrong.push(format!("{differ:?} is not there"));
        }
    }
    wrong
}

/// What holds of ours whatever they say: phases sum to the probe's duration.
fn sound(ours: &Metrics) -> Vec<String> {
    let phases: Vec<f64> = ours
        .iter()
        .filter(|(series, _)| series.contains("_duration_seconds{phase="))
        .map(|(_, value)| *value)
        .collect();
    let (sum, total) = (phases.iter().sum::<f64>(), ours["probe_duration_seconds"]);
    if phases.is_empty() || (sum - total).abs() < 1e-6 {
        return Vec::new();
    }
    vec![format!("phases sum to {sum}, the probe took {total}")]
}
