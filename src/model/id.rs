//! Ids: stable, written by the operator, never derived from names.

use std::{borrow::Borrow, fmt, sync::Arc};

/// Longest id, in bytes: it becomes a metric label, a URL segment and a table key.
pub const ID_BYTES_MAX: usize = 64;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an id: write 1 to {ID_BYTES_MAX} of a-z, 0-9, `-`, `_` and `.`, \
     beginning with a letter or a digit"
)]
pub struct NotAnId {
    /// The text as written.
    pub text: String,
}

fn parse(text: &str) -> Result<Arc<str>, NotAnId> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (1..=ID_BYTES_MAX).contains(&text.len());
    if fits && text.starts_with(plain) && text.chars().all(|c| plain(c) || "-_.".contains(c)) {
        Ok(Arc::from(text))
    } else {
        Err(NotAnId { text: text.to_owned() })
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and keeps an id.
            ///
            /// # Errors
            ///
            /// [`NotAnId`] if a character, the first character or the length is not allowed.
            pub fn new(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }

            /// The id as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id! {
    /// An agency that answers for systems (cơ quan chủ quản).
    OwnerId
}
id! {
    /// A system of an owner.
    SystemId
}
id! {
    /// A check of a system; unique in the whole configuration.
    CheckId
}
id! {
    /// Somebody who can be called.
    PersonId
}
id! {
    /// A team that answers for systems.
    TeamId
}
id! {
    /// A way that messages leave this monitor.
    ChannelId
}
id! {
    /// A place that checks are run from (điểm đo).
    VantageId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_lower_case_and_begins_plainly() {
        for good in ["a", "vneid", "vneid-home", "0x", "a.b_c-d", &"a".repeat(64)] {
            assert!(CheckId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "A", "vneid home", "định-danh", &"a".repeat(65)] {
            assert!(CheckId::new(bad).is_err(), "{bad}");
        }
    }
}
