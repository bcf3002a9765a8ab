//! What of a database's record matters: its country or its autonomous system, as the makers of databases write them.
//!
//! | database | field |
//! | --- | --- |
//! | MaxMind and DB-IP: Country, City, Enterprise | `country.iso_code`: where the address is used |
//! | MaxMind and DB-IP: ASN, ISP | `autonomous_system_number` |
//! | ip-location-db: country, asn | `country_code`; `autonomous_system_number` |
//!
//! `registered_country`, where the network's owner has its seat, does not count.

use super::country::CountryCode;
use super::origin::{Origin, OriginKind};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

#[derive(Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    country: Option<Country<'a>>,
    country_code: Option<&'a str>,
    autonomous_system_number: Option<Number>,
}

/// A number of whatever width: not every maker of databases writes 32 bits.
#[derive(Clone, Copy)]
struct Number(u32);

#[derive(Deserialize)]
struct Country<'a> {
    iso_code: Option<&'a str>,
}

impl Record<'_> {
    /// Where its addresses come from, if it says so.
    pub(super) fn origin(&self, kind: OriginKind) -> Option<Origin> {
        match kind {
            OriginKind::Asn => {
                let Number(number) = self.autonomous_system_number.filter(|Number(number)| *number != 0)?;
                Some(Origin::Asn(number))
            }
            OriginKind::Country => {
                let code = self.country.as_ref().and_then(|country| country.iso_code).or(self.country_code)?;
                CountryCode::of_database(code).map(Origin::Country)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyWidth;

        impl Visitor<'_> for AnyWidth {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of an autonomous system")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                u32::try_from(number).map(Number).map_err(|_| E::custom("there is no such autonomous system"))
            }
        }

        deserializer.deserialize_any(AnyWidth)
    }
}
