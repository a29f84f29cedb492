//! Rules on a JSON body in the Common Expression Language.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr};
use cel::objects::{Key, Map};
use cel::{Context, ParseErrors, Program, Value};

/// Longest expression: far more than people write, and short enough that no expression nests
/// deeper than a stack allows.
pub const CEL_BYTES_MAX: usize = 2_048;

/// Most characters that may nest an expression, wherever they are: the parser goes as deep as
/// they do, and its own limit comes too late.
const NESTING_MAX: usize = 32;

/// Stack that an expression of [`NESTING_MAX`] is parsed on.
const STACK_BYTES: usize = 64 << 20;

/// Deepest expression that is evaluated: evaluation goes as deep as the expression does, with
/// some 3 kB of stack a level.
const DEPTH_MAX: u32 = 64;

/// Most steps that one evaluation may come to, estimated before it starts: about a second.
const STEPS_MAX: u64 = 2_000_000;

/// Largest body that is read as JSON: as values it takes up to a hundred times its size.
pub const JSON_BYTES_MAX: usize = 4 << 20;

/// Names that stand for themselves besides `body`: the types of CEL.
const TYPES: &[&str] =
    &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// Functions of the language that are known here; CEL's times and durations are not.
const FUNCTIONS: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

/// A compiled expression over `body`; equal if written alike.
#[derive(Clone)]
pub struct Cel {
    written: String,
    program: Arc<Program>,
    /// How deep loops nest.
    loops: u32,
}

impl Cel {
    /// Compiles `text`.
    ///
    /// # Errors
    ///
    /// In words, if it is no expression, names what there is not, or is too long.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > CEL_BYTES_MAX {
            return Err(format!("it is longer than {CEL_BYTES_MAX} bytes"));
        }
        if text.matches(['(', '[', '{', '!', '-', '?']).count() > NESTING_MAX {
            return Err(format!(
                "it has more than {NESTING_MAX} of `(`, `[`, `{{`, `!`, `-` and `?`"
            ));
        }
        let compiled = compiled(text)?;
        let program = compiled.map_err(|errors| {
            let first = errors.errors.first().map(|error| error.msg.clone());
            first.unwrap_or_else(|| "it can't be read".to_owned())
        })?;
        let mut names = Vec::new();
        let deep = look(program.expression(), &mut names)?;
        if deep.parts > DEPTH_MAX {
            return Err(format!("it nests deeper than {DEPTH_MAX} levels"));
        }
        let loops = deep.loops;
        Ok(Self { written: text.to_owned(), program: Arc::new(program), loops })
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether it is true of `body`. Numbers of JSON are CEL's `double`s, as blackbox_exporter
    /// has them.
    ///
    /// # Errors
    ///
    /// In words, if it comes to something else than true or false, such as an error because a key
    /// is missing, or would take too long.
    pub fn holds(&self, body: &serde_json::Value) -> Result<bool, String> {
        let (mut nodes, mut bytes) = (0, 0);
        let body = value(body, &mut nodes, &mut bytes);
        let each = (self.written.len() as u64).saturating_add(bytes / 1_024);
        let steps = nodes.saturating_pow(self.loops).saturating_mul(if self.loops > 0 {
            each / 8 + 1
        } else {
            1
        });
        if steps > STEPS_MAX {
            return Err("the rule would take too long on a body of this size".to_owned());
        }
        let run = || {
            let mut context = Context::default();
            context.add_variable_from_value("body", body);
            self.program.execute(&context)
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(Value::Bool(holds))) => Ok(holds),
            Ok(Ok(other)) => Err(format!("the rule gives {}, not true or false", other.type_of())),
            // The crate's own words may hold the whole body.
            Ok(Err(error)) => Err(shortened(&error.to_string())),
            Err(_) => Err("the rule can't be evaluated".to_owned()),
        }
    }
}

/// `text` through the crate's parser, on a stack of its own: the parser takes some 100 kB of it
/// a level, is not ours, and what it is given is not either.
fn compiled(text: &str) -> Result<Result<Program, ParseErrors>, String> {
    let unreadable = || "it can't be read".to_owned();
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        let parsing = builder.spawn_scoped(scope, || Program::compile(text));
        parsing.map_err(|_| unreadable())?.join().map_err(|_| unreadable())
    })
}

impl PartialEq for Cel {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Cel {}

impl fmt::Debug for Cel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cel").field(&self.written).finish()
    }
}

fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 200;
    let cut = text.floor_char_boundary(SHOWN_MAX);
    if cut == text.len() { text.to_owned() } else { format!("{}…", &text[..cut]) }
}

/// JSON as a value of the language, counting its nodes and the bytes of its texts.
fn value(json: &serde_json::Value, nodes: &mut u64, bytes: &mut u64) -> Value {
    *nodes += 1;
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(it) => Value::Bool(*it),
        serde_json::Value::Number(it) => Value::Float(it.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(it) => {
            *bytes += it.len() as u64;
            Value::String(Arc::new(it.clone()))
        }
        serde_json::Value::Array(items) => {
            Value::List(Arc::new(items.iter().map(|it| value(it, nodes, bytes)).collect()))
        }
        serde_json::Value::Object(fields) => {
            let mut map = HashMap::with_capacity(fields.len());
            for (name, it) in fields {
                map.insert(Key::String(Arc::new(name.clone())), value(it, nodes, bytes));
            }
            Value::Map(Map { map: Arc::new(map) })
        }
    }
}

/// How deep a part of an expression goes.
#[derive(Clone, Copy, Debug, Default)]
struct Deep {
    /// Loops within loops.
    loops: u32,
    /// Parts within parts.
    parts: u32,
}

impl Deep {
    fn or(self, other: Self) -> Self {
        Self { loops: self.loops.max(other.loops), parts: self.parts.max(other.parts) }
    }
}

/// How deep `node` goes, or what it names that there is not; `names` are the variables of the
/// loops around it.
fn look<'a>(node: &'a IdedExpr, names: &mut Vec<&'a str>) -> Result<Deep, String> {
    let inside = match &node.expr {
        Expr::Unspecified | Expr::Literal(_) => Deep::default(),
        Expr::Ident(name) => {
            let bare = name.trim_start_matches('.');
            let known = bare == "body" || TYPES.contains(&bare) || names.contains(&bare);
            if !known && !bare.starts_with('@') {
                return Err(format!("there is no `{name}`; the answer is in `body`"));
            }
            Deep::default()
        }
        Expr::Select(select) => look(&select.operand, names)?,
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            let spoken = name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && name.starts_with(char::is_alphabetic);
            if spoken && !FUNCTIONS.contains(&name) {
                return Err(format!("there is no function `{name}` here"));
            }
            deepest(call.target.iter().map(AsRef::as_ref).chain(&call.args), names)?
        }
        Expr::List(list) => deepest(list.elements.iter(), names)?,
        Expr::Map(map) => entries(map.entries.iter().map(|it| &it.expr), names)?,
        Expr::Struct(it) => return Err(format!("there is no type `{}` here", it.type_name)),
        Expr::Comprehension(it) => comprehension(it, names)?,
    };
    Ok(Deep { parts: inside.parts + 1, ..inside })
}

fn comprehension<'a>(it: &'a ComprehensionExpr, names: &mut Vec<&'a str>) -> Result<Deep, String> {
    let outside = look(&it.iter_range, names)?.or(look(&it.accu_init, names)?);
    let before = names.len();
    names.push(&it.iter_var);
    names.extend(it.iter_var2.as_deref());
    names.push(&it.accu_var);
    let inside = deepest([&it.loop_cond, &it.loop_step, &it.result].into_iter(), names)?;
    names.truncate(before);
    Ok(outside.or(Deep { loops: inside.loops + 1, ..inside }))
}

fn deepest<'a>(
    nodes: impl Iterator<Item = &'a IdedExpr>,
    names: &mut Vec<&'a str>,
) -> Result<Deep, String> {
    let mut deepest = Deep::default();
    for node in nodes {
        deepest = deepest.or(look(node, names)?);
    }
    Ok(deepest)
}

fn entries<'a>(
    entries: impl Iterator<Item = &'a EntryExpr>,
    names: &mut Vec<&'a str>,
) -> Result<Deep, String> {
    let mut deepest = Deep::default();
    for entry in entries {
        deepest = deepest.or(match entry {
            EntryExpr::StructField(field) => look(&field.value, names)?,
            EntryExpr::MapEntry(entry) => look(&entry.key, names)?.or(look(&entry.value, names)?),
        });
    }
    Ok(deepest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_true_or_false_of_a_body_or_says_why_not() {
        let body = serde_json::json!({
            "status": "ok", "load": 5, "big": 2.5, "nodes": [{"up": true}, {"up": false}],
            "none": null,
        });
        let check = |text: &str, expected: Result<bool, &str>| {
            let got = Cel::new(text).unwrap().holds(&body);
            match (got, expected) {
                (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{text}"),
                (Err(got), Err(part)) => assert!(got.contains(part), "{text}: {got}"),
                (got, expected) => panic!("{text}: {got:?}, not {expected:?}"),
            }
        };
        check("body.status == 'ok'", Ok(true));
        check("body.load == 5 && body.load > 4", Ok(true));
        check("body.big >= 2.5", Ok(true));
        check("body.nodes.exists(n, !n.up)", Ok(true));
        check("body.nodes.all(n, n.up)", Ok(false));
        check("size(body.nodes) == 2", Ok(true));
        check("has(body.missing)", Ok(false));
        check("body.none == null", Ok(true));
        check("body.status.matches('^o')", Ok(true));
        check("'status' in body", Ok(true));
        check("type(body.status) == string", Ok(true));
        check("body.missing == 1", Err("missing"));
        check("body.load", Err("float, not true or false"));
        check("1/0 == 1", Err(""));
        check("body.nodes[7].up", Err(""));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in ["", "foo.bar", "body.", "body.x == ", "nope(body)", "((((", "body.f()", "Foo{}"]
        {
            assert!(Cel::new(bad).is_err(), "{bad}");
        }
        assert!(Cel::new(&"(".repeat(CEL_BYTES_MAX)).is_err());
        assert!(Cel::new(&" ".repeat(CEL_BYTES_MAX + 1)).unwrap_err().contains("longer"));
    }

    #[test]
    fn the_longest_chains_fit_the_stack() {
        let body = serde_json::json!({"x": 1});
        for link in ["1+", "-", "!", "true&&", "true?true:", "body.x==1||", "[0][", "{1:"] {
            let times = CEL_BYTES_MAX / link.len() - 8;
            let nests = link.contains(['(', '[', '{', '!', '-', '?']);
            let mut text = link.repeat(if nests { NESTING_MAX / 2 } else { times });
            text.push_str("true");
            for part in [text.as_str(), &text[text.len().saturating_sub(120 * link.len())..]] {
                let _ = Cel::new(part).map(|cel| cel.holds(&body));
            }
        }
        for length in [100, 900] {
            let select = format!("body{}", ".x".repeat(length));
            let _ = Cel::new(&select).map(|cel| cel.holds(&body));
        }
    }

    #[test]
    fn nested_loops_over_a_large_body_are_refused() {
        let body = serde_json::json!(vec![1; 5_000]);
        let one = Cel::new("body.all(x, x == 1)").unwrap();
        assert_eq!(one.holds(&body), Ok(true));
        let two = Cel::new("body.all(x, body.all(y, body.all(z, x == z)))").unwrap();
        assert!(two.holds(&body).unwrap_err().contains("too long"));
    }
}
