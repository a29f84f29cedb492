//! blackbox_exporter: modules say how, and `prometheus.yml` says whom.

mod http;
mod module;
mod prometheus;
mod tcp;

use prometheus::Target;

use super::draft::Draft;
use super::note::{Place, Told, Weight};
use super::plan::{Plan, comment};
use super::yaml::{self, Node};
use super::{ImportError, Imported, Judge, why};

/// Reads the files that a pattern of `prometheus.yml` names, relative to it: the name of each,
/// and its text or why it can't be read.
pub type Files<'a> = &'a dyn Fn(&str) -> Vec<(String, Result<String, String>)>;

/// What skeletons of checks are pointed at.
const EXAMPLE: &str = "vi-du.example.gov.vn";

/// Reads modules of blackbox_exporter and, where it is given, the targets of `prometheus`.
/// Without it the file has a skeleton for each module, as comments.
///
/// # Errors
///
/// [`ImportError`] if one of them is not what it should be; [`ImportError::Targets`] if it is
/// `prometheus`.
pub fn blackbox(
    modules: &str,
    prometheus: Option<(&str, Files<'_>)>,
    judge: Judge<'_>,
) -> Result<Imported, ImportError> {
    let root = yaml::parse(modules)?;
    let Some(modules) = root.get("modules") else {
        let seen = if root.get("scrape_configs").is_some() {
            "it has `scrape_configs`: it is prometheus.yml"
        } else {
            "it has no `modules`"
        };
        return Err(ImportError::NotThis {
            wanted: "a configuration of blackbox_exporter",
            seen: seen.to_owned(),
            mend: "write: thongsuot import blackbox blackbox.yml --prometheus prometheus.yml",
        });
    };
    let mut plan = Plan::new("blackbox_exporter", "blackbox", judge);
    let Some((text, files)) = prometheus else {
        skeletons(&mut plan, modules, judge);
        return plan.finish();
    };
    let targets = prometheus::targets(&mut plan, text, files);
    for target in targets.map_err(|why| ImportError::Targets(Box::new(why)))? {
        one(&mut plan, modules, &target);
    }
    plan.finish()
}

fn one(plan: &mut Plan<'_>, modules: &Node, target: &Target) {
    let id = plan.id(&target.name, &target.job);
    let name = target.name.as_str();
    let wanted = target.module.as_deref().unwrap_or("http_2xx");
    let Some(module) = modules.get(wanted) else {
        let told =
            Told::new(Weight::Lost, &target.place, format!("module {wanted}"), why::NO_MODULE);
        plan.lose(&target.job, name, &told);
        return;
    };
    let base = Draft::new(&id, name, &target.place, "http");
    let timeouts = (target.interval, target.timeout);
    match module::draft(&base, &mut plan.variables, module, &target.address, timeouts) {
        Ok(draft) => plan.add(&target.job, draft),
        Err(why) => {
            let told = Told::new(Weight::Lost, &target.place, format!("module {wanted}"), why);
            plan.lose(&target.job, name, &told);
        }
    }
}

/// A check for each module, as comments: whom to ask is not known.
fn skeletons(plan: &mut Plan<'_>, modules: &Node, judge: Judge<'_>) {
    plan.tell(&Told::new(Weight::Lost, &Place::File, "targets", why::SKELETON));
    plan.tail(
        "\n# Mỗi module một phép đo mẫu: điền địa chỉ thật, bỏ dấu # và đặt dưới một [[system]].\n",
    );
    for (name, module) in modules.entries() {
        let place = module.place();
        let id = plan.id(name, "module");
        let base = Draft::new(&id, name, &place, "http");
        let address = module::example(module, EXAMPLE);
        let made = module::draft(&base, &mut plan.variables, module, &address, (None, None));
        let Ok(mut draft) = made else {
            let told = Told::new(Weight::Lost, &place, format!("module {name}"), why::NO_KIND);
            plan.tell(&told);
            continue;
        };
        let around = super::plan::AROUND;
        while draft.settle(&|text| judge(&format!("{around}{text}"))).is_err() {
            let Some(next) = draft.instead.take() else { break };
            draft = *next;
        }
        let mut text = String::from("\n");
        for told in &draft.told {
            text.push_str(&comment(&told.vietnamese()));
            plan.tell(&told.clone());
        }
        for line in draft.text().lines() {
            text.push_str(format!("# {line}").trim_end());
            text.push('\n');
        }
        plan.tail(&text);
    }
}

#[cfg(test)]
mod tests;
