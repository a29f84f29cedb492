//! The file that comes of an import: systems with their checks, and what is told.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::draft::{Draft, tame};
use super::names::Ids;
use super::note::{Note, Told, Weight};
use super::secrets::Variables;
use super::value::quoted;
use super::why::{self, Why};
use super::{ImportError, Imported, Judge};

/// Widest line of comments.
const COLUMNS: usize = 100;

/// The smallest file around one check, for the judge.
pub(super) const AROUND: &str = "[monitor]\nvantage = \"import\"\n[[owner]]\nid = \"import\"\nname = \"import\"\n\
    [[system]]\nid = \"import\"\nowner = \"import\"\nname = \"import\"\n";

/// Where checks without a group go.
pub(super) const UNGROUPED: &str = "Chưa xếp nhóm";

/// The file so far.
pub(super) struct Plan<'a> {
    source: &'static str,
    command: &'static str,
    judge: Judge<'a>,
    pub(super) variables: Variables,
    system_ids: Ids,
    check_ids: Ids,
    systems: Vec<System>,
    notes: Vec<Note>,
    off: usize,
    /// Lines at the end of the file, as they are.
    tail: String,
}

struct System {
    id: String,
    name: String,
    /// Texts of its checks, each with its comments; those of checks that are not carried have
    /// comments alone.
    texts: Vec<String>,
    checks: usize,
}

impl<'a> Plan<'a> {
    /// `source` is the name of the other monitor, `command` what was given to `import`.
    pub(super) fn new(source: &'static str, command: &'static str, judge: Judge<'a>) -> Self {
        Self {
            source,
            command,
            judge,
            variables: Variables::default(),
            system_ids: Ids::default(),
            check_ids: Ids::default(),
            systems: Vec::new(),
            notes: Vec::new(),
            off: 0,
            tail: String::new(),
        }
    }

    /// A new id for a check called `name` in the group `group`.
    pub(super) fn id(&mut self, name: &str, group: &str) -> String {
        self.check_ids.make(&[name, group, "phep-do"])
    }

    /// Tells something that is about the whole file.
    pub(super) fn tell(&mut self, told: &Told) {
        self.notes.push(told.note(""));
    }

    /// Tells that a check of the system `group` is not there.
    pub(super) fn lose(&mut self, group: &str, name: &str, told: &Told) {
        let text = comment(&format!("{}: {}", tame(name), told.vietnamese()));
        self.system(group).texts.push(text);
        self.notes.push(told.note(name));
    }

    /// Adds a check to the system `group`, without what is refused.
    pub(super) fn add(&mut self, group: &str, mut draft: Draft) {
        let judge = |text: &str| (self.judge)(&format!("{AROUND}{text}"));
        while let Err(problem) = draft.settle(&judge) {
            let Some(mut next) = draft.instead.take() else {
                let told = Told::new(Weight::Lost, &draft.place, draft.kind(), why::NOT_TAKEN);
                let name = draft.name.clone();
                self.lose(group, &name, &told.with(&problem));
                return;
            };
            if draft.is_off() {
                next.switch_off(why::WAS_OFF.vi);
            }
            draft = *next;
        }
        let mut text = String::new();
        for told in &draft.told {
            if told.weight != Weight::Elsewhere {
                text.push_str(&comment(&told.vietnamese()));
            }
            self.notes.push(told.note(&draft.name));
        }
        text.push_str(&draft.text());
        self.off += usize::from(draft.is_off());
        let system = self.system(group);
        system.texts.push(text);
        system.checks += 1;
    }

    /// Adds lines at the end, as they are.
    pub(super) fn tail(&mut self, text: &str) {
        self.tail.push_str(text);
    }

    /// Whether there is anything in it.
    pub(super) fn is_empty(&self) -> bool {
        self.systems.is_empty() && self.tail.is_empty()
    }

    fn system(&mut self, name: &str) -> &mut System {
        let name = tame(name);
        let name = if name.is_empty() { UNGROUPED.to_owned() } else { name };
        let at = self.systems.iter().position(|it| it.name == name).unwrap_or_else(|| {
            let id = if name == UNGROUPED { "imported" } else { name.as_str() };
            let id = self.system_ids.make(&[id, "he-thong"]);
            self.systems.push(System { id, name, texts: Vec::new(), checks: 0 });
            self.systems.len() - 1
        });
        &mut self.systems[at]
    }

    /// The whole, once the judge has seen it.
    pub(super) fn finish(mut self) -> Result<Imported, ImportError> {
        let mut body = String::new();
        for system in &self.systems {
            let rule = "-".repeat(90usize.saturating_sub(system.name.width()));
            let _ = write!(body, "\n# --- {} {rule}\n", system.name);
            if system.checks > 0 {
                let (id, name) = (quoted(&system.id), quoted(&system.name));
                let _ =
                    write!(body, "[[system]]\nid = {id}\nowner = \"chu-quan\"\nname = {name}\n");
            }
            for text in &system.texts {
                body.push('\n');
                body.push_str(text);
            }
        }
        body.push_str(&self.tail);
        let used = |name: &str| body.contains(&format!("env = \"{name}\""));
        self.variables.all.retain(|it| used(&it.name));
        let toml = format!("{}{body}", self.head());
        (self.judge)(&toml).map_err(|problem| ImportError::Refused { problem })?;
        let systems = self.systems.iter().filter(|it| it.checks > 0);
        Ok(Imported {
            systems: systems.clone().count(),
            checks: systems.map(|it| it.checks).sum(),
            off: self.off,
            notes: self.notes,
            variables: self.variables.all,
            toml,
        })
    }

    fn head(&self) -> String {
        let (source, command) = (self.source, self.command);
        let variables = if self.variables.all.is_empty() {
            String::new()
        } else {
            let names: Vec<_> = self.variables.all.iter().map(|it| it.name.as_str()).collect();
            comment(&format!(
                "Biến môi trường phải đặt (bí mật, không ghi vào đây): {}",
                names.join(", ")
            ))
        };
        format!(
            "# Chuyển từ {source} bằng `thongsuot import {command}`. Trước khi chạy:\n\
             #   1. Hỏi ý kiến bằng văn bản từng chủ quản; điền tên thật ở `[[owner]]`, hộp thư ở `contact`.\n\
             #   2. Mã (`id`, `vantage`) là vĩnh viễn kể từ lần chạy đầu: muốn đổi thì đổi bây giờ.\n\
             #   3. Đọc các dòng \"Chưa chuyển\", \"Tắt\", \"Khác trước\"; sửa xong dòng nào thì xóa dòng đó.\n\
             #   4. `thongsuot check` phải không còn lỗi; thử từng phép đo: `thongsuot probe <id>`.\n\
             #   5. Ai được báo khi có sự cố: deploy/alerting.example.toml.\n\
             {variables}\n\
             [monitor]\n\
             vantage = \"diem-do-1\"\n\
             # contact = \"hop-thu-cua-don-vi@don-vi.gov.vn\"\n\n\
             [[owner]]\n\
             id = \"chu-quan\"\n\
             name = \"Cơ quan chủ quản\"\n"
        )
    }
}

/// `text` as lines of comments.
pub(super) fn comment(text: &str) -> String {
    let mut out = String::new();
    let mut line = String::from("#");
    for word in tame(text).split(' ') {
        if line.width() + 1 + word.width() > COLUMNS && line.len() > 3 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#  ");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
    out
}

/// Tells things of the source that have another place here, or none.
pub(super) fn elsewhere(plan: &mut Plan<'_>, place: &super::Place, what: &str, why: Why) {
    plan.tell(&Told::new(Weight::Elsewhere, place, what, why));
}
