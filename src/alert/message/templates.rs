//! Templates: built in, and the operator's own of the same names.

use std::fmt;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};

use super::told::Told;
use super::{Message, filters, plain, tame};
use crate::alert::delivery::Purpose;
use crate::model::alerting::Language;
use crate::model::alerting::rules::Severity;

/// Most bytes of a template of the operator.
const TEMPLATE_BYTES_MAX: u64 = 65_536;

/// Longest subject, in characters: mail readers and chats show less.
const SUBJECT_CHARS_MAX: usize = 240;

/// Most incidents that a bundle tells one by one; the rest are counted.
pub const BUNDLE_MAX: usize = 20;

/// Longest text and HTML, in characters.
const TEXT_CHARS_MAX: usize = 20_000;

macro_rules! built_in {
    ($($name:literal)*) => {
        /// Every template, as its name within the folder and its text.
        const BUILT_IN: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../templates/", $name))),)*
        ];

        /// The names of all templates: what a file in the folder of the operator may be called.
        pub const NAMES: &[&str] = &[$($name,)*];
    };
}

built_in! {
    "vi/subject.txt" "vi/text.txt" "vi/html.html" "vi/short.txt"
    "vi/bundle_subject.txt" "vi/bundle_text.txt" "vi/bundle_html.html" "vi/bundle_short.txt"
    "en/subject.txt" "en/text.txt" "en/html.html" "en/short.txt"
    "en/bundle_subject.txt" "en/bundle_text.txt" "en/bundle_html.html" "en/bundle_short.txt"
    "style.html"
}

/// What is wrong with a template of the operator; the built-in one is used instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {name}{}: {problem}", line.map(|it| format!(", line {it}")).unwrap_or_default())]
pub struct TemplateFault {
    /// Its name within the folder, such as `vi/text.txt`.
    pub name: String,
    /// The line, from 1, if it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

/// All templates.
pub struct Templates {
    built_in: Environment<'static>,
    /// With the operator's own in place of the built-in ones; `None`: there are none.
    own: Option<Environment<'static>>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("own", &self.own.is_some()).finish_non_exhaustive()
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self { built_in: built_in(), own: None }
    }
}

impl Templates {
    /// The built-in ones, but for those of which a folder has a file of the same name, and what
    /// is wrong with the files there. A file with a fault is not used. Reads files: not to be
    /// called where waiting for a disk matters.
    #[must_use]
    pub fn of_folder(folder: &Path) -> (Self, Vec<TemplateFault>) {
        let (mut texts, mut faults) = (Vec::new(), Vec::new());
        for name in NAMES {
            match read(&folder.join(name)) {
                Ok(Some(text)) => texts.push(((*name).to_owned(), text)),
                Ok(None) => {}
                Err(problem) => {
                    faults.push(TemplateFault { name: (*name).to_owned(), line: None, problem });
                }
            }
        }
        if !folder.is_dir() {
            let problem = "there is no such folder".to_owned();
            faults.push(TemplateFault { name: folder.display().to_string(), line: None, problem });
        }
        let (templates, more) = Self::of_texts(texts);
        faults.extend(more);
        (templates, faults)
    }

    /// The same with the texts of the operator's templates by name. Each is tried out on
    /// samples, so that a name that does not exist is found now and not at night.
    #[must_use]
    pub fn of_texts(texts: Vec<(String, String)>) -> (Self, Vec<TemplateFault>) {
        let mut templates = Self::default();
        if texts.is_empty() {
            return (templates, Vec::new());
        }
        let mut own = built_in();
        let mut faults = Vec::new();
        for (name, text) in texts {
            if let Err(error) = own.add_template_owned(name.clone(), text) {
                faults.push(fault(&name, &error));
                continue;
            }
            if let Some(error) = tried(&own, &name) {
                faults.push(fault(&name, &error));
                // The built-in one again.
                if let Some((name, text)) = BUILT_IN.iter().find(|(it, _)| *it == name) {
                    own.add_template(name, text).ok();
                }
            }
        }
        templates.own = Some(own);
        (templates, faults)
    }

    /// One incident as a message; [`Message::key`] is left empty.
    #[must_use]
    pub fn render(&self, told: &Told, purpose: Purpose, language: Language) -> Message {
        let context = one(told, purpose);
        let subject = self.subject("subject.txt", language, &context, told);
        let context = with_subject(&context, &subject);
        Message {
            key: String::new(),
            incident: told.number.clone(),
            purpose: purpose.as_str().to_owned(),
            severity: told.severity.as_str().to_owned(),
            text: self.text("text.txt", language, &context, &subject),
            html: self.html("html.html", language, &context, &subject),
            short: self.short("short.txt", language, &context, &subject),
            subject,
            ack_url: told.ack_url.clone(),
            incident_url: told.incident_url.clone(),
            system: told.system.clone(),
            links: links(&[told]),
        }
    }

    /// Several incidents as one message, loudest first: for somebody who would get too many. One
    /// is as [`Self::render`] has it; `None` if there is none.
    #[must_use]
    pub fn bundle(&self, told: &[Told], purpose: Purpose, language: Language) -> Option<Message> {
        let mut told: Vec<&Told> = told.iter().collect();
        told.sort_by_key(|it| std::cmp::Reverse((it.severity, it.kind)));
        let first = *told.first()?;
        if told.len() == 1 {
            return Some(self.render(first, purpose, language));
        }
        let context = several(&told, purpose);
        let subject = self.subject("bundle_subject.txt", language, &context, first);
        let context = with_subject(&context, &subject);
        let severity = told.iter().map(|it| it.severity).max().unwrap_or(Severity::Info);
        Some(Message {
            key: String::new(),
            incident: first.number.clone(),
            purpose: purpose.as_str().to_owned(),
            severity: severity.as_str().to_owned(),
            text: self.text("bundle_text.txt", language, &context, &subject),
            html: self.html("bundle_html.html", language, &context, &subject),
            short: self.short("bundle_short.txt", language, &context, &subject),
            subject,
            ack_url: String::new(),
            incident_url: String::new(),
            system: first.system.clone(),
            links: links(&told),
        })
    }

    /// By the operator's template, or the built-in one if that fails.
    fn fill(&self, name: &str, language: Language, context: &Value) -> Option<String> {
        let name = format!("{}/{name}", folder(language));
        let fill = |engine: &Environment<'_>| {
            let text = engine.get_template(&name).ok()?.render(context).ok()?;
            Some(text).filter(|it| !it.trim().is_empty())
        };
        self.own.as_ref().and_then(fill).or_else(|| fill(&self.built_in))
    }

    /// One line that says something even if every template fails.
    fn subject(&self, name: &str, language: Language, context: &Value, told: &Told) -> String {
        let filled = self.fill(name, language, context);
        let line = filled.unwrap_or_else(|| {
            format!("[{}] {}: {}. {}", told.label, told.title, told.since, told.number)
        });
        tame::cut(&tame::one_line(&line), SUBJECT_CHARS_MAX)
    }

    fn text(&self, name: &str, language: Language, context: &Value, subject: &str) -> String {
        let text = self.fill(name, language, context).unwrap_or_else(|| subject.to_owned());
        let text = tame::lines(&text);
        let mut kept: Vec<&str> = Vec::new();
        for line in text.trim().lines().map(str::trim_end) {
            if !(line.is_empty() && kept.last().is_none_or(|it| it.is_empty())) {
                kept.push(line);
            }
        }
        tame::cut(&kept.join("\n"), TEXT_CHARS_MAX)
    }

    fn html(&self, name: &str, language: Language, context: &Value, subject: &str) -> String {
        let html = self.fill(name, language, context);
        // Cut HTML would be broken: the subject says the most important.
        let html = html.filter(|it| it.chars().count() <= TEXT_CHARS_MAX);
        let html = html.unwrap_or_else(|| {
            let mut escaped = String::new();
            for c in subject.chars() {
                match c {
                    '&' => escaped.push_str("&amp;"),
                    '<' => escaped.push_str("&lt;"),
                    c => escaped.push(c),
                }
            }
            format!("<p>{escaped}</p>")
        });
        tame::lines(&html)
    }

    fn short(&self, name: &str, language: Language, context: &Value, subject: &str) -> String {
        plain::short(&self.fill(name, language, context).unwrap_or_else(|| subject.to_owned()))
    }
}

const fn folder(language: Language) -> &'static str {
    match language {
        Language::Vietnamese => "vi",
        Language::English => "en",
    }
}

fn one(told: &Told, purpose: Purpose) -> Value {
    context! { purpose => purpose.as_str(), subject => "", ..Value::from(Serde(told)) }
}

fn several(told: &[&Told], purpose: Purpose) -> Value {
    let shown = told.get(..BUNDLE_MAX).unwrap_or(told);
    context! {
        purpose => purpose.as_str(),
        subject => "",
        total => told.len(),
        more => told.len() - shown.len(),
        incidents => Value::from(Serde(shown)),
    }
}

fn with_subject(context: &Value, subject: &str) -> Value {
    context! { subject, ..context.clone() }
}

/// Every address that these are told with.
fn links(told: &[&Told]) -> Vec<String> {
    let all = told.iter().flat_map(|it| {
        [&it.ack_url, &it.incident_url, &it.grafana_url, &it.runbook].map(String::as_str)
    });
    all.filter(|it| it.starts_with("http")).map(str::to_owned).collect()
}

/// An engine that knows the built-in templates.
fn built_in() -> Environment<'static> {
    let mut engine = filters::engine();
    engine.set_auto_escape_callback(|name| {
        let html = Path::new(name).extension().is_some_and(|it| it == "html");
        if html { AutoEscape::Html } else { AutoEscape::None }
    });
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        engine.set_syntax(syntax);
    }
    for (name, text) in BUILT_IN {
        // One that does not parse is found by the tests; the subject is made without it.
        engine.add_template(name, text).ok();
    }
    engine
}

/// The text of a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<String>, String> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("can't be read: {error}")),
        Ok(it) if it.len() > TEMPLATE_BYTES_MAX => {
            return Err(format!("is larger than {TEMPLATE_BYTES_MAX} bytes"));
        }
        Ok(_) => {}
    }
    std::fs::read_to_string(path).map(Some).map_err(|error| format!("can't be read: {error}"))
}

fn fault(name: &str, error: &minijinja::Error) -> TemplateFault {
    let what = error.detail().map_or_else(String::new, |it| format!(": {it}"));
    TemplateFault {
        name: error.name().filter(|it| NAMES.contains(it)).unwrap_or(name).to_owned(),
        line: error.line(),
        problem: format!("{}{what}", error.kind()),
    }
}

/// The first fault that a template has on any sample.
fn tried(engine: &Environment<'_>, name: &str) -> Option<minijinja::Error> {
    let template = match engine.get_template(name) {
        Ok(template) => template,
        Err(error) => return Some(error),
    };
    let samples = Told::samples();
    let bundle: Vec<&Told> = samples.iter().collect();
    let fails = |context: Value| template.render(context).err();
    let single = samples.iter().flat_map(|told| Purpose::ALL.map(|purpose| one(told, purpose)));
    let bundled = Purpose::ALL.map(|purpose| several(&bundle, purpose));
    if name.contains("bundle_") {
        bundled.into_iter().find_map(fails)
    } else {
        single.into_iter().find_map(fails)
    }
}
