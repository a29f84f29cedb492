//! What alerting remembers: the book of incidents and the outbox, shared by those who decide,
//! those who send and those who acknowledge, and kept in the history.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, watch};
use tokio::time::{Duration, Instant, timeout_at};
use tracing::{error, warn};

use crate::alert::book::{Book, Incident, IncidentId};
use crate::alert::delivery::Delivery;
use crate::alert::link::Links;
use crate::alert::outbox::Outbox;
use crate::app::{AppError, lock};
use crate::history::{Document, Event, History, HistoryError, Reader, Record};
use crate::model::secret::Secret;

/// Spaces of documents.
const INCIDENTS: &str = "alert.incident";
const DELIVERIES: &str = "alert.delivery";
const NUMBERS: &str = "alert.number";
const SECRETS: &str = "alert.secret";

/// The name of the key of links.
const LINK_KEY: &str = "links";

/// How long a decision waits to be durable before it is acted on all the same: a page that may
/// come twice after a crash is better than none while the disk is full.
const KEEP_MAX: Duration = Duration::from_secs(2);

/// The same while the disk is known to refuse.
const KEEP_AGAIN_MAX: Duration = Duration::from_millis(200);

/// The shared state. Never locked across an await, nor by who holds the lock of the watch: whoever
/// has the desk may look there.
#[derive(Debug, Default)]
pub(super) struct Desk {
    state: Mutex<State>,
    keeping: tokio::sync::Mutex<Kept>,
    /// Something happened that the rules should look at now.
    pub(super) wake: Arc<Notify>,
    /// Something may be due to be sent.
    pub(super) post: watch::Sender<()>,
}

/// What is on the desk.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) book: Book,
    pub(super) outbox: Outbox,
    /// Lines for the journal that are not yet there.
    pub(super) journal: Vec<Event>,
    /// Documents of other kinds that are to be kept.
    others: Vec<Document>,
}

/// What the history has.
#[derive(Debug, Default)]
struct Kept {
    incidents: HashMap<IncidentId, Incident>,
    number: Option<(i16, u32)>,
    refused: bool,
}

impl Desk {
    /// Goes on where an earlier daemon ended. Blocks.
    fn restore(reader: &Reader, wake: Arc<Notify>) -> Result<Self, HistoryError> {
        let mut kept = Kept::default();
        let mut book = Book::default();
        for (name, body) in reader.documents(INCIDENTS)? {
            let Some(incident) = read::<Incident>(&name, &body) else { continue };
            kept.incidents.insert(incident.id.clone(), incident.clone());
            book.incidents.insert(incident.id.clone(), incident);
        }
        for (name, body) in reader.documents(NUMBERS)? {
            book.last = read(&name, &body).unwrap_or(book.last);
            kept.number = Some(book.last);
        }
        let deliveries = reader.documents(DELIVERIES)?;
        let deliveries = deliveries.iter().filter_map(|(name, body)| read::<Delivery>(name, body));
        let state = State { book, outbox: Outbox::restore(deliveries), ..State::default() };
        Ok(Self {
            state: Mutex::new(state),
            keeping: tokio::sync::Mutex::new(kept),
            wake,
            post: watch::Sender::default(),
        })
    }

    /// Looks at it, or changes it.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut lock(&self.state))
    }

    /// Makes durable what has changed, as far as the disk lets it, in [`KEEP_MAX`]. Who acts on
    /// a decision calls this first. Whether it is durable now; if not it is written later.
    pub(super) async fn keep(&self, history: &History) -> bool {
        // In turn: a newer text must not be overtaken by an older one.
        let mut kept = self.keeping.lock().await;
        let records = self.with(|state| kept.changes(state));
        if records.is_empty() && !kept.refused {
            return true;
        }
        let longest = if kept.refused { KEEP_AGAIN_MAX } else { KEEP_MAX };
        let until = Instant::now() + longest;
        let copy = records.clone();
        let refused = match timeout_at(until, history.append(records)).await {
            // The writer has it and tries again, also if it says nothing in time.
            Ok(Ok(())) => match timeout_at(until, history.flush()).await {
                Ok(Ok(())) => None,
                Ok(Err(why)) => Some(why.to_string()),
                Err(_) => Some(format!("no answer in {longest:?}")),
            },
            Ok(Err(why)) => Some(why.to_string()),
            Err(_) => {
                // It may not have taken all: it is given again.
                self.with(|state| state.give_back(copy));
                Some(format!("no room within {longest:?}"))
            }
        };
        if let Some(why) = &refused
            && !kept.refused
        {
            error!(%why, "what alerting decides can't be made durable; acting on it all the same");
        }
        kept.refused = refused.is_some();
        !kept.refused
    }

    /// Keeps a small secret: the key of links, a pair of tokens.
    pub(super) fn put_secret(&self, name: &str, body: String) {
        let document = Document { space: SECRETS, name: name.to_owned(), body: Some(body) };
        self.with(|state| state.others.push(document));
    }
}

/// Goes on where an earlier daemon ended: the desk, and the key of links if one was made.
pub(super) async fn restore(
    history: &History,
    wake: Arc<Notify>,
) -> Result<(Desk, Option<Secret>), AppError> {
    let history = history.clone();
    let read = tokio::task::spawn_blocking(move || {
        let reader = history.reader()?;
        Ok::<_, HistoryError>((
            Desk::restore(&reader, wake)?,
            secret(&reader, LINK_KEY)?.map(Secret::new),
        ))
    });
    let died = |panic: tokio::task::JoinError| AppError::PartDied {
        part: "alerting",
        why: panic.to_string(),
    };
    Ok(read.await.map_err(died)??)
}

/// A secret that was kept.
pub(super) fn secret(reader: &Reader, name: &str) -> Result<Option<String>, HistoryError> {
    let all = reader.documents(SECRETS)?;
    Ok(all.into_iter().find(|(it, _)| it == name).map(|(_, body)| body))
}

/// Signs links with the key of the configuration, or with one that is made once and kept.
pub(super) fn links(desk: &Desk, kept: &mut Option<Secret>, configured: Option<&Secret>) -> Links {
    if let Some(key) = configured {
        return Links::new(key.reveal().as_bytes());
    }
    let key = kept.get_or_insert_with(|| {
        let halves: [u128; 2] = rand::random();
        let key = format!("{:032x}{:032x}", halves[0], halves[1]);
        desk.put_secret(LINK_KEY, key.clone());
        Secret::new(key)
    });
    Links::new(key.reveal().as_bytes())
}

impl State {
    /// What was to be written and may not have been: it goes first next time.
    fn give_back(&mut self, records: Vec<Record>) {
        let mut lines = Vec::new();
        for record in records {
            match record {
                Record::Documents(documents) => {
                    let newer = std::mem::replace(&mut self.others, documents);
                    self.others.extend(newer);
                }
                Record::Event(event) => lines.push(event),
                Record::Result(_) | Record::Void(_) => {}
            }
        }
        lines.append(&mut self.journal);
        self.journal = lines;
    }
}

impl Kept {
    /// What must be written, and takes it as written.
    fn changes(&mut self, state: &mut State) -> Vec<Record> {
        let mut documents = std::mem::take(&mut state.others);
        let document = |space, name: &str, body| Document { space, name: name.to_owned(), body };
        for (id, incident) in &state.book.incidents {
            if self.incidents.get(id) != Some(incident) {
                documents.push(document(INCIDENTS, &id.0, text(incident)));
                self.incidents.insert(id.clone(), incident.clone());
            }
        }
        self.incidents.retain(|id, _| {
            let there = state.book.incidents.contains_key(id);
            if !there {
                documents.push(document(INCIDENTS, &id.0, None));
            }
            there
        });
        if self.number != Some(state.book.last) {
            self.number = Some(state.book.last);
            documents.push(document(NUMBERS, "last", text(&state.book.last)));
        }
        for (key, delivery) in state.outbox.take_changes() {
            documents.push(document(DELIVERIES, &key, delivery.as_ref().and_then(text)));
        }
        let events = std::mem::take(&mut state.journal).into_iter().map(Record::Event);
        let documents = (!documents.is_empty()).then_some(Record::Documents(documents));
        documents.into_iter().chain(events).collect()
    }
}

fn text(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).inspect_err(|why| error!(%why, "can't be written down")).ok()
}

fn read<T: serde::de::DeserializeOwned>(name: &str, body: &str) -> Option<T> {
    let read = serde_json::from_str(body);
    read.inspect_err(|why| warn!(name, %why, "kept by another version, and left out")).ok()
}
