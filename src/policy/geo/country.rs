//! Country codes: two letters of ISO 3166-1, and `XK`, which databases use for Kosovo.
//!
//! A code that no country has is refused, as an entry for it would silently do nothing.

use std::fmt;
use std::str::FromStr;

/// Every officially assigned code of ISO 3166-1.
const ASSIGNED: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY \
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK \
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR \
    IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK \
    ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF \
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// What people write, and what they mean.
const MEANT: [(&str, &str); 3] = [("UK", "GB"), ("EL", "GR"), ("KO", "XK")];

/// A country, by its two letters in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CountryCode([u8; 2]);

/// A text that is no code of a country.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CountryError {
    /// It is not two letters in upper case.
    #[error("a country is two letters in upper case, such as `CH`")]
    Form,
    /// No country has it.
    #[error("no country has the code `{0}`")]
    Unknown(Box<str>),
}

impl CountryError {
    /// What may have been meant.
    pub fn hint(&self) -> Option<String> {
        let Self::Unknown(code) = self else { return None };
        let (_, meant) = MEANT.iter().find(|(written, _)| **written == **code)?;
        Some(format!("did you mean `{meant}`?"))
    }
}

impl CountryCode {
    /// The code that a database writes, known or not.
    pub(super) fn of_database(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    pub(super) fn number(self) -> u32 {
        let [first, second] = self.0;
        u32::from(first) << 8 | u32::from(second)
    }

    pub(super) fn of_number(number: u32) -> Self {
        let [.., first, second] = number.to_be_bytes();
        Self([first, second])
    }
}

impl FromStr for CountryCode {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| CountryError::Form)?;
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return Err(CountryError::Form);
        }
        if text == "XK" || ASSIGNED.split_ascii_whitespace().any(|code| code == text) {
            return Ok(Self(letters));
        }
        Err(CountryError::Unknown(text.into()))
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0.map(char::from);
        write!(f, "{first}{second}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_or_refused() {
        assert_eq!(ASSIGNED.split_ascii_whitespace().count(), 249);
        for code in ["CH", "XK", "ZW", "AD", "GB"] {
            assert_eq!(code.parse::<CountryCode>().unwrap().to_string(), code);
        }
        for (text, hint) in [("UK", Some("did you mean `GB`?")), ("XX", None), ("EU", None), ("AA", None)] {
            let error = text.parse::<CountryCode>().unwrap_err();
            assert_eq!(error, CountryError::Unknown(text.into()));
            assert_eq!(error.hint().as_deref(), hint);
        }
        for text in ["", "C", "ch", "CHE", "Ch", "ÄT", "C1", "CH "] {
            assert_eq!(text.parse::<CountryCode>(), Err(CountryError::Form), "{text}");
        }
    }

    #[test]
    fn codes_are_numbers_and_back() {
        for code in ASSIGNED.split_ascii_whitespace() {
            let code: CountryCode = code.parse().unwrap();
            assert_eq!(CountryCode::of_number(code.number()), code);
            assert_ne!(code.number(), 0);
        }
    }
}
