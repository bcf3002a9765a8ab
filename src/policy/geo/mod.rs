//! Countries and autonomous systems: which networks a database in MaxMind's format counts among them.
//!
//! The bytes of a database and what is wanted of it in, [ranges](AddressRange) in order of address out; so the rest of
//! the policy knows nothing of databases, and a look-up costs what it costs with ranges. Networks of the same origin
//! that lie beside each other come out as one range. Read whole and let go of afterwards.
//!
//! What a database says of an address is one country and one autonomous system at most. An address of which it says
//! nothing is in no country. Networks that are IPv4 in the guise of IPv6 (6to4, Teredo) are addresses of their own here
//! (SPEC §3), so the aliases under which databases list them are passed over.
//!
//! Sources: <https://maxmind.github.io/MaxMind-DB/>, ISO 3166-1.

mod country;
mod origin;
mod record;

pub use country::CountryCode;
pub use origin::{Origin, OriginKind};

use super::range::AddressRange;
use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use record::Record;
use std::collections::HashMap;

/// Databases have a million networks; one whose tree leads in circles has more than anybody can count.
const MOST_NETWORKS: usize = 1 << 25;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Its bytes make no sense.
    #[error("it is no database in MaxMind's format: {0}")]
    Broken(#[from] MaxMindDbError),
    /// It is about something else.
    #[error("it is a database of type `{0}`, which says nothing of {1}")]
    OfElse(Box<str>, OriginKind),
    /// Its tree does not end.
    #[error("it has more than {MOST_NETWORKS} networks")]
    Endless,
    /// A network that is none.
    #[error("it has a network that is none")]
    NoNetwork,
}

/// The ranges of each origin.
pub type Ranges = HashMap<Origin, Vec<AddressRange>>;

/// The ranges of those origins of a kind that are wanted; one that the database does not know has none.
///
/// Cost: linear in the networks of the database, a few ten million a second; records are decoded once each.
///
/// # Errors
/// It is no database, or not of this kind.
pub fn ranges(
    bytes: &[u8],
    kind: OriginKind,
    is_wanted: impl Fn(Origin) -> bool,
) -> Result<Ranges, DatabaseError> {
    let reader = Reader::from_source(bytes)?;
    let mut records: HashMap<usize, Option<Origin>> = HashMap::new();
    let mut ranges = Ranges::new();
    let mut says_something = false;
    for (number, network) in reader.networks(WithinOptions::default())?.enumerate() {
        if number == MOST_NETWORKS {
            return Err(DatabaseError::Endless);
        }
        let network = network?;
        let Some(offset) = network.offset() else { continue };
        let origin = match records.get(&offset) {
            Some(origin) => *origin,
            None => {
                let record: Option<Record<'_>> = network.decode()?;
                let origin = record.and_then(|record| record.origin(kind));
                *records.entry(offset).or_insert(origin)
            }
        };
        let Some(origin) = origin else { continue };
        says_something = true;
        if is_wanted(origin) {
            let network = network.network()?;
            let range = AddressRange::new(network.network(), network.broadcast());
            add(ranges.entry(origin).or_default(), range.map_err(|_| DatabaseError::NoNetwork)?);
        }
    }
    if says_something {
        return Ok(ranges);
    }
    Err(DatabaseError::OfElse(reader.metadata().database_type.as_str().into(), kind))
}

/// Networks come in order of address.
fn add(ranges: &mut Vec<AddressRange>, next: AddressRange) {
    match ranges.last_mut() {
        Some(last) if last.is_followed_by(&next) => {
            if let Ok(both) = AddressRange::new(last.start(), next.end()) {
                *last = both;
            }
        }
        _ => ranges.push(next),
    }
}

#[cfg(test)]
mod mmdb;
#[cfg(test)]
mod tests;
