//! Moments, as entries expire at them: brought in by whoever has a clock, since the policy has none.
//!
//! A TOML offset date-time (RFC 3339 with its offset) in, milliseconds since 1970 out. A date-time without an offset
//! means another moment in every place, so it is refused.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};
use toml::value::{Datetime, Offset};

/// A moment, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Moment(i64);

/// Why a date-time is no moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MomentError {
    /// A part of it is missing: the date, the time of day or the offset.
    #[error("it has no {0}")]
    Without(&'static str),
    /// There is no such day, time or offset.
    #[error("there is no such date and time")]
    Impossible,
    /// It is no date-time at all.
    #[error("it is no date and time")]
    Unreadable,
}

impl Moment {
    /// Before every other.
    pub const FIRST: Self = Self(i64::MIN);
    /// Behind every other.
    pub const LAST: Self = Self(i64::MAX);

    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// In milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// From a date-time of TOML; a fraction of a millisecond does not count.
    ///
    /// # Errors
    /// [`MomentError::Without`], [`MomentError::Impossible`]
    pub fn of_toml(written: &Datetime) -> Result<Self, MomentError> {
        let impossible = |_| MomentError::Impossible;
        let date = written.date.ok_or(MomentError::Without("date"))?;
        let time = written.time.ok_or(MomentError::Without("time of day"))?;
        let minutes = match written.offset.ok_or(MomentError::Without("offset from UTC"))? {
            Offset::Z => 0,
            Offset::Custom { minutes } => minutes,
        };
        let month = Month::try_from(date.month).map_err(impossible)?;
        let date = Date::from_calendar_date(i32::from(date.year), month, date.day).map_err(impossible)?;
        // A leap second (RFC 3339 §5.7) is the last of its minute to everybody who counts since 1970.
        let second = time.second.unwrap_or(0).min(59);
        let time = Time::from_hms_nano(time.hour, time.minute, second, time.nanosecond.unwrap_or(0))
            .map_err(impossible)?;
        let offset = UtcOffset::from_whole_seconds(i32::from(minutes) * 60).map_err(impossible)?;
        let nanos = OffsetDateTime::new_in_offset(date, time, offset).unix_timestamp_nanos();
        i64::try_from(nanos.div_euclid(1_000_000)).map(Self).map_err(|_| MomentError::Impossible)
    }

    /// As a date-time of TOML, in UTC; `None` beyond the years that it can say.
    pub fn to_toml(self) -> Option<Datetime> {
        let written = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).ok()?;
        (0..=9999).contains(&written.year()).then(|| self.to_string().parse().ok()).flatten()
    }

    /// How long it is until another moment; nothing if that is not ahead.
    pub fn until(self, other: Self) -> Duration {
        Duration::from_millis(u64::try_from(other.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let millis = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(behind) => Self(millis(behind)),
            Err(error) => Self(millis(error.duration()).saturating_neg()),
        }
    }
}

/// As files write it: RFC 3339 with an offset.
impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        Self::of_toml(&text.parse().map_err(|_| MomentError::Unreadable)?)
    }
}

/// RFC 3339, in UTC.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(written) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000) else {
            return write!(f, "{} ms since 1970", self.0);
        };
        let (date, time) = (written.date(), written.time());
        write!(f, "{date}T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        match time.millisecond() {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

/// The moments for which something holds: from the first one on, and no longer at the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Term {
    /// From here on.
    pub from: Moment,
    /// Until here, exclusive.
    pub until: Moment,
}

impl Term {
    /// At all times.
    pub const ALWAYS: Self = Self { from: Moment::FIRST, until: Moment::LAST };

    /// Around a moment, up to the nearest of these boundaries on either side.
    pub fn around(now: Moment, boundaries: impl Iterator<Item = Moment>) -> Self {
        boundaries.fold(Self::ALWAYS, |term, boundary| match boundary <= now {
            true => Self { from: term.from.max(boundary), ..term },
            false => Self { until: term.until.min(boundary), ..term },
        })
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }

    /// Whether a moment is in it.
    pub fn contains(&self, moment: Moment) -> bool {
        self.from <= moment && (moment < self.until || self.until == Moment::LAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written() {
        let cases = [
            ("1970-01-01T00:00:00Z", Ok(0), "1970-01-01T00:00:00Z"),
            ("2026-12-01T00:00:00Z", Ok(1_796_083_200_000), "2026-12-01T00:00:00Z"),
            ("2026-12-01 01:00:00+01:00", Ok(1_796_083_200_000), "2026-12-01T00:00:00Z"),
            ("2026-11-30T16:30:00-07:30", Ok(1_796_083_200_000), "2026-12-01T00:00:00Z"),
            ("2026-12-01T00:00:00.1239Z", Ok(1_796_083_200_123), "2026-12-01T00:00:00.123Z"),
            ("1969-12-31T23:59:59.999Z", Ok(-1), "1969-12-31T23:59:59.999Z"),
            ("2016-12-31T23:59:60Z", Ok(1_483_228_799_000), "2016-12-31T23:59:59Z"),
            ("0000-01-01T00:00:00Z", Ok(-62_167_219_200_000), "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", Ok(253_402_300_799_000), "9999-12-31T23:59:59Z"),
            ("2026-12-01T00:00:00", Err(MomentError::Without("offset from UTC")), ""),
            ("2026-12-01", Err(MomentError::Without("time of day")), ""),
            ("12:00:00", Err(MomentError::Without("date")), ""),
            ("2025-02-29T00:00:00Z", Err(MomentError::Unreadable), ""),
            ("tomorrow", Err(MomentError::Unreadable), ""),
        ];
        for (text, expected, written) in cases {
            let read: Result<Moment, _> = text.parse();
            assert_eq!(read.map(Moment::millis), expected, "{text}");
            if let Ok(moment) = read {
                assert_eq!(moment.to_string(), written);
                assert_eq!(moment.to_toml().map(|toml| Moment::of_toml(&toml)), Some(Ok(moment)), "{text}");
            }
        }
    }

    #[test]
    fn what_toml_cannot_say_is_not_written() {
        for moment in [Moment::FIRST, Moment::LAST, Moment::from_millis(253_402_300_800_000)] {
            assert_eq!(moment.to_toml(), None, "{moment}");
        }
    }

    #[test]
    fn system_times_on_both_sides_of_1970() {
        for (time, millis) in [
            (UNIX_EPOCH + Duration::from_millis(1500), 1500),
            (UNIX_EPOCH - Duration::from_millis(1500), -1500),
        ] {
            assert_eq!(Moment::from(time).millis(), millis);
        }
    }

    #[test]
    fn a_term_reaches_to_the_nearest_boundaries() {
        let at = Moment::from_millis;
        let around = |now: i64| Term::around(at(now), [10, 20, 20, 30].into_iter().map(at));
        for (now, from, until) in
            [(5, i64::MIN, 10), (10, 10, 20), (19, 10, 20), (20, 20, 30), (30, 30, i64::MAX)]
        {
            let term = around(now);
            assert_eq!((term.from, term.until), (at(from), at(until)), "{now}");
            assert!(term.contains(at(now)));
            assert_eq!(term.contains(term.until), term.until == Moment::LAST);
        }
        assert_eq!(around(12).and(Term::ALWAYS), around(12));
        assert_eq!(at(5).until(at(12)), Duration::from_millis(7));
        assert_eq!(at(12).until(at(5)), Duration::ZERO);
    }
}
