//! Whom Prometheus lets blackbox_exporter probe.

use std::time::Duration;

use super::super::note::{Place, Told, Weight};
use super::super::plan::Plan;
use super::super::yaml::{self, Node};
use super::super::{ImportError, span, why};
use super::Files;

/// What Prometheus does if nothing is written.
const INTERVAL: Duration = Duration::from_mins(1);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most targets of one configuration; more is a mistake of the source.
const TARGETS_MAX: usize = 100_000;

/// One target of one job.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) job: String,
    pub(super) module: Option<String>,
    pub(super) address: String,
    pub(super) name: String,
    pub(super) interval: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    pub(super) place: Place,
}

/// A target as it is found: its labels, `__address__` among them.
type Labels = Vec<(String, String)>;

/// The targets of every job that probes.
pub(super) fn targets(
    plan: &mut Plan<'_>,
    text: &str,
    files: Files<'_>,
) -> Result<Vec<Target>, ImportError> {
    let root = yaml::parse(text)?;
    let mut all = Vec::new();
    let mut jobs: Vec<Node> = root.list("scrape_configs").to_vec();
    for pattern in root.texts("scrape_config_files") {
        for (name, text) in files(&pattern) {
            match text.map_err(|_| ()).and_then(|it| yaml::parse(&it).map_err(|_| ())) {
                Ok(more) => jobs.extend(more.list("scrape_configs").iter().cloned()),
                Err(()) => plan.tell(&Told::new(Weight::Lost, &Place::File, name, why::NO_FILE)),
            }
        }
    }
    if root.get("scrape_configs").is_none() && jobs.is_empty() {
        return Err(ImportError::NotThis {
            wanted: "a configuration of Prometheus",
            seen: "it has no `scrape_configs`".to_owned(),
            mend: "write: thongsuot import blackbox blackbox.yml --prometheus prometheus.yml",
        });
    }
    let global = root.get("global");
    for job in jobs.iter().filter(|it| it.text("metrics_path").as_deref() == Some("/probe")) {
        of_job(plan, global, job, files, &mut all);
    }
    if all.is_empty() {
        return Err(ImportError::NotThis {
            wanted: "a configuration of Prometheus with anything to probe",
            seen: "no job with `metrics_path: /probe` has a target that is known here".to_owned(),
            mend: "name the prometheus.yml that scrapes blackbox_exporter; targets of a discovery can't be seen",
        });
    }
    Ok(all)
}

fn of_job(
    plan: &mut Plan<'_>,
    global: Option<&Node>,
    job: &Node,
    files: Files<'_>,
    all: &mut Vec<Target>,
) {
    let name = job.text("job_name").unwrap_or_default();
    let length = |key: &str, default: Duration| {
        let of =
            |node: Option<&Node>| node.and_then(|it| it.text(key)).and_then(|it| span::go(&it));
        of(Some(job)).or_else(|| of(global)).unwrap_or(default)
    };
    let interval = length("scrape_interval", INTERVAL);
    let timeout = length("scrape_timeout", TIMEOUT).min(interval);
    let parameter = |key: &str| job.get("params").and_then(|it| it.texts(key).into_iter().next());
    let (module, fixed) = (parameter("module"), parameter("target"));
    let mut has_labels = false;
    for (labels, place) in found(plan, job, files) {
        if all.len() >= TARGETS_MAX {
            return;
        }
        has_labels |= labels.iter().any(|(key, _)| key != "__address__" && key != "name");
        let mut labels = labels;
        for (key, value) in [("__param_module", &module), ("__param_target", &fixed)] {
            labels.extend(value.iter().map(|it| (key.to_owned(), it.clone())));
        }
        relabel(job, &mut labels);
        let of = |key: &str| {
            labels.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
        };
        let Some(address) =
            of("__param_target").or_else(|| fixed.clone()).filter(|it| !it.is_empty())
        else {
            continue;
        };
        all.push(Target {
            job: name.clone(),
            module: of("__param_module"),
            name: of("name").unwrap_or_else(|| without_user(&address)),
            address,
            interval: Some(interval),
            timeout: Some(timeout),
            place,
        });
    }
    for rule in job.list("relabel_configs").iter().filter(|it| !is_followed(it)) {
        plan.tell(&Told::new(Weight::Changed, &rule.place(), format!("job {name}"), why::RELABEL));
    }
    if has_labels {
        plan.tell(&Told::new(Weight::Elsewhere, &job.place(), format!("job {name}"), why::LABELS));
    }
}

/// An address as a name for people: without the user and password that it may hold.
fn without_user(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (peer, path) = rest.split_at(end);
    let peer = peer.rsplit('@').next().unwrap_or_default();
    if scheme.is_empty() { format!("{peer}{path}") } else { format!("{scheme}://{peer}{path}") }
}

/// The labels of each target as they are found, before they are relabelled.
fn found(plan: &mut Plan<'_>, job: &Node, files: Files<'_>) -> Vec<(Labels, Place)> {
    let mut all = Vec::new();
    for group in job.list("static_configs") {
        in_group(group, None, &mut all);
    }
    for config in job.list("file_sd_configs") {
        for pattern in config.texts("files") {
            let read = files(&pattern);
            if read.is_empty() {
                plan.tell(&Told::new(
                    Weight::Lost,
                    &config.place(),
                    pattern.as_str(),
                    why::NO_FILE,
                ));
            }
            for (name, text) in read {
                match text.map_err(|_| ()).and_then(|it| yaml::parse(&it).map_err(|_| ())) {
                    Ok(groups) => {
                        for group in groups.items() {
                            in_group(group, Some(&config.place()), &mut all);
                        }
                    }
                    Err(()) => {
                        plan.tell(&Told::new(Weight::Lost, &config.place(), name, why::NO_FILE));
                    }
                }
            }
        }
    }
    let other = |key: &str| key.ends_with("_sd_configs") && key != "file_sd_configs";
    for (key, node) in job.entries().iter().filter(|(key, _)| other(key)) {
        plan.tell(&Told::new(Weight::Lost, &node.place(), key.as_str(), why::DISCOVERY));
    }
    all
}

fn in_group(group: &Node, named: Option<&Place>, all: &mut Vec<(Labels, Place)>) {
    let labels = group.get("labels").map_or(&[][..], Node::entries);
    let labels: Labels =
        labels.iter().filter_map(|(key, node)| Some((key.clone(), node.as_text()?))).collect();
    for target in group.list("targets") {
        let Some(address) = target.as_text() else { continue };
        let mut labels = labels.clone();
        labels.insert(0, ("__address__".to_owned(), address));
        all.push((labels, named.cloned().unwrap_or_else(|| target.place())));
    }
}

/// Whether a rule does what [`relabel`] does, or only names labels that do not matter here.
fn is_followed(rule: &Node) -> bool {
    let replaces = rule.text("action").is_none_or(|it| it == "replace");
    let to = rule.text("target_label").unwrap_or_default();
    let plain = rule.text("regex").is_none_or(|it| it == "(.*)" || it == ".*");
    match to.as_str() {
        "__address__" => replaces,
        _ if to.starts_with("__param_") => {
            replaces && plain && rule.list("source_labels").len() <= 1
        }
        "name" => replaces && plain && rule.list("source_labels").len() == 1,
        _ => rule.text("action").is_none_or(|it| {
            matches!(
                it.as_str(),
                "replace" | "labeldrop" | "labelkeep" | "labelmap" | "lowercase" | "uppercase"
            )
        }),
    }
}

/// Applies the rules that set a parameter of the probe, or the name, from one label.
fn relabel(job: &Node, labels: &mut Labels) {
    for rule in job.list("relabel_configs").iter().filter(|it| is_followed(it)) {
        let to = rule.text("target_label").unwrap_or_default();
        if to != "name" && !to.starts_with("__param_") {
            continue;
        }
        let from = rule.texts("source_labels").into_iter().next();
        let value = from.map(|from| {
            let found = labels.iter().find(|(key, _)| *key == from);
            found.map_or_else(String::new, |(_, value)| value.clone())
        });
        let replacement = rule.text("replacement").unwrap_or_else(|| "$1".to_owned());
        let value = value.unwrap_or_default();
        let value = replacement.replace("${1}", &value).replace("$1", &value);
        labels.retain(|(key, _)| *key != to);
        if !value.is_empty() {
            labels.push((to, value));
        }
    }
}
