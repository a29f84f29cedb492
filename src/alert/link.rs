//! Links that acknowledge or close an incident: signed, for one person, good for once.
//!
//! A link names the incident, its round and the person, and is good while that round has not
//! been acknowledged: using it ends the round, so it can't be used twice, and no list of used
//! ones is kept. It says who acted, and grants nothing else.

use ring::hmac;

use super::book::{Incident, IncidentId};
use crate::model::bytes::hex;

/// Bytes of the code that are kept: 128 bits can't be guessed over a network.
const CODE_BYTES: usize = 16;

/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 512;

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The incident.
    pub incident: IncidentId,
    /// The round of its escalation that it belongs to.
    pub round: u32,
    /// Who got it: a person's id, or a channel's.
    pub who: String,
}

/// Why a link is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not made here, or changed on the way.
    #[error("this link was not made here, or was cut on its way")]
    Forged,
    /// Its round is over.
    #[error("this link has been used, or a later message has replaced it")]
    Used,
}

/// Signs and reads links.
#[derive(Clone)]
pub struct Links {
    key: hmac::Key,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links(***)")
    }
}

impl Links {
    /// With a secret key; 32 random bytes are right.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The token of a link: letters, digits, `-`, `_` and `.`, so that nothing in it is escaped
    /// in an address or cut by a mail program.
    #[must_use]
    pub fn token(&self, link: &Link) -> String {
        let text = format!("{}_{}_{}", link.incident.0, link.round, link.who);
        let code = hmac::sign(&self.key, text.as_bytes());
        format!("{text}_{}", hex(&code.as_ref()[..CODE_BYTES]))
    }

    /// Reads a token.
    ///
    /// # Errors
    ///
    /// [`LinkError::Forged`].
    pub fn read(&self, token: &str) -> Result<Link, LinkError> {
        let (text, code) = Some(token)
            .filter(|it| it.len() <= TOKEN_BYTES_MAX)
            .and_then(|it| it.rsplit_once('_'))
            .ok_or(LinkError::Forged)?;
        let right = hmac::sign(&self.key, text.as_bytes());
        let right = hex(&right.as_ref()[..CODE_BYTES]);
        if !same(right.as_bytes(), code.as_bytes()) {
            return Err(LinkError::Forged);
        }
        let mut parts = text.splitn(3, '_');
        let (Some(incident), Some(round), Some(who)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(LinkError::Forged);
        };
        Ok(Link {
            incident: IncidentId(incident.to_owned()),
            round: round.parse().map_err(|_| LinkError::Forged)?,
            who: who.to_owned(),
        })
    }
}

impl Link {
    /// Whether it may still be used on its incident.
    ///
    /// # Errors
    ///
    /// [`LinkError::Used`].
    pub fn is_good(&self, incident: &Incident) -> Result<(), LinkError> {
        let fresh = incident.is_open()
            && incident.ack.is_none()
            && incident.escalation.round == self.round
            && incident.id == self.incident;
        if fresh { Ok(()) } else { Err(LinkError::Used) }
    }
}

/// Compares in a time that does not tell how much is right.
fn same(right: &[u8], given: &[u8]) -> bool {
    right.len() == given.len() && right.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        let incident = IncidentId("SC-2026-0012".to_owned());
        Link { incident, round: 1, who: "nguyen_van.an".to_owned() }
    }

    #[test]
    fn a_token_gives_its_link_back_and_needs_no_escaping() {
        let links = Links::new(b"key");
        let token = links.token(&link());
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{token}");
        assert_eq!(links.read(&token), Ok(link()));
    }

    #[test]
    fn a_changed_token_and_one_of_another_key_are_forged() {
        let links = Links::new(b"key");
        let token = links.token(&link());
        assert_eq!(Links::new(b"other").read(&token), Err(LinkError::Forged));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(links.read(&changed), Err(LinkError::Forged), "{changed}");
        }
        for bad in ["", "_", "a_b", &"x".repeat(10_000), "SC_1_a_đ"] {
            assert_eq!(links.read(bad), Err(LinkError::Forged), "{bad}");
        }
    }
}
