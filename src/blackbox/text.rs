//! Metrics as Prometheus' text format, version 0.0.4: families by name, each gauge with its help.

use std::fmt::Write as _;

/// One metric with its samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

/// One sample: its labels and its value.
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    labels: Vec<(String, String)>,
    value: f64,
}

/// The metrics of one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Page {
    families: Vec<Family>,
}

impl Page {
    /// Adds a gauge without labels.
    pub(super) fn gauge(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.sample(name, help, Vec::new(), value);
    }

    /// Adds a gauge that is 0 or 1.
    pub(super) fn flag(&mut self, name: &'static str, help: &'static str, value: bool) {
        self.gauge(name, help, f64::from(u8::from(value)));
    }

    /// Adds a sample with one label to the gauge of this name.
    pub(super) fn labelled(
        &mut self,
        name: &'static str,
        help: &'static str,
        (label, value): (&str, &str),
        number: f64,
    ) {
        self.sample(name, help, vec![(label.to_owned(), value.to_owned())], number);
    }

    /// Adds a sample with labels to the gauge of this name.
    pub(super) fn sample(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Vec<(String, String)>,
        value: f64,
    ) {
        let sample = Sample { labels, value };
        match self.families.iter_mut().find(|it| it.name == name) {
            Some(family) => family.samples.push(sample),
            None => self.families.push(Family { name, help, samples: vec![sample] }),
        }
    }

    /// The page as text.
    pub(super) fn text(mut self) -> String {
        self.families.sort_by_key(|it| it.name);
        let mut text = String::with_capacity(4_096);
        for Family { name, help, samples } in &self.families {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
            for sample in samples {
                text.push_str(name);
                labels(&mut text, &sample.labels);
                let _ = writeln!(text, " {}", sample.value);
            }
        }
        text
    }
}

fn labels(text: &mut String, labels: &[(String, String)]) {
    for (at, (name, value)) in labels.iter().enumerate() {
        text.push(if at == 0 { '{' } else { ',' });
        text.push_str(name);
        text.push_str("=\"");
        for sign in value.chars() {
            match sign {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if !labels.is_empty() {
        text.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_come_by_name_and_values_are_escaped() {
        let mut page = Page::default();
        page.labelled("b", "Second", ("x", "a\"\\\nb"), 0.5);
        page.flag("a", "First", true);
        page.labelled("b", "Second", ("x", "c"), 3_668_918_509.0);
        assert_eq!(
            page.text(),
            "# HELP a First\n# TYPE a gauge\na 1\n# HELP b Second\n# TYPE b gauge\n\
             b{x=\"a\\\"\\\\\\nb\"} 0.5\nb{x=\"c\"} 3668918509\n"
        );
    }
}
