//! The JSON that Uptime Kuma 1 writes as a backup.

use serde_json::Value as Json;

use super::super::ImportError;
use super::{Fields, Kuma};

/// Reads a backup.
pub(super) fn read(text: &str) -> Result<Kuma, ImportError> {
    let root: Json = serde_json::from_str(text).map_err(|error| {
        let problem = error.to_string();
        let problem = problem.split(" at line").next().unwrap_or_default().to_owned();
        ImportError::NotJson { line: error.line(), problem }
    })?;
    let Some(monitors) = root.get("monitorList") else {
        return Err(ImportError::NotThis {
            wanted: "a backup of Uptime Kuma",
            seen: "it has no `monitorList`".to_owned(),
            mend: "name the backup of version 1 (Settings, Backup), or the database kuma.db of any version",
        });
    };
    let mut kuma = Kuma {
        monitors: objects(monitors).map(fields).collect(),
        proxies: root.get("proxyList").into_iter().flat_map(objects).map(fields).collect(),
        ..Kuma::default()
    };
    for (monitor, read) in objects(monitors).zip(&mut kuma.monitors) {
        let tags = monitor.get("tags").and_then(Json::as_array);
        read.tags = tags.into_iter().flatten().filter_map(tag).collect();
    }
    for it in root.get("notificationList").into_iter().flat_map(objects) {
        let config = it.get("config").and_then(Json::as_str).unwrap_or_default();
        kuma.notifications.push((text_of(it, "name"), kind_of(config)));
    }
    Ok(kuma)
}

/// The kind of a notification; nothing else of its settings is looked at.
pub(super) fn kind_of(config: &str) -> String {
    let config: Json = serde_json::from_str(config).unwrap_or_default();
    text_of(&config, "type")
}

fn text_of(of: &Json, name: &str) -> String {
    of.get(name).and_then(Json::as_str).unwrap_or("?").to_owned()
}

/// The members of a list, or of an object of them.
fn objects(of: &Json) -> Box<dyn Iterator<Item = &Json> + '_> {
    match of {
        Json::Array(items) => Box::new(items.iter().filter(|it| it.is_object())),
        Json::Object(items) => Box::new(items.values().filter(|it| it.is_object())),
        _ => Box::new(std::iter::empty()),
    }
}

fn fields(of: &Json) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in of.as_object().into_iter().flatten() {
        fields.push(name, value.clone());
    }
    fields
}

fn tag(of: &Json) -> Option<String> {
    of.get("name").and_then(Json::as_str).map(str::to_owned)
}
