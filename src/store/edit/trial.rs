//! What is needed to undo a change that was made on trial, kept beside the file so that it survives a restart.
//!
//! INVARIANT: the record is on the disk before the change is in the file, so there is no instant at which the change
//! stands and nobody would undo it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The ending of the record's name.
pub(super) const ENDING: &str = ".unconfirmed";

/// A change, or several, on trial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trial {
    /// When it is undone.
    pub(super) deadline: SystemTime,
    /// How long it was to last: a clock that is set back does not make it last longer.
    pub(super) within: Duration,
    /// The text before the first of the changes.
    pub(super) before: String,
    /// The text after the second last of them, if there are several: what the file holds if the last one never
    /// reached it.
    pub(super) between: Option<String>,
    /// The text after the last of them.
    pub(super) after: String,
}

/// A record that is none.
#[derive(Debug, thiserror::Error)]
#[error("the record of an unconfirmed change is damaged")]
pub(super) struct Damaged;

/// What undoing comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Undo {
    /// The change never reached the file, or was undone already.
    Nothing,
    /// This text is to be in force.
    Text(String),
    /// The file was edited by hand in the same place.
    Impossible,
}

const FORMAT: u64 = 1;

impl Trial {
    /// As it is written: a line of JSON, then the texts.
    pub(super) fn header(&self) -> String {
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let deadline = self.deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
        let header = serde_json::json!({
            "format": FORMAT,
            "deadline": milliseconds(deadline),
            "within": milliseconds(self.within),
            "before": self.before.len(),
            "between": self.between.as_ref().map(String::len),
            "after": self.after.len(),
        });
        format!("{header}\n")
    }

    /// The texts, in order.
    pub(super) fn texts(&self) -> [&str; 3] {
        [&self.before, self.between.as_deref().unwrap_or_default(), &self.after]
    }

    /// Reads what was written.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Damaged> {
        let text = str::from_utf8(bytes).map_err(|_| Damaged)?;
        let (header, texts) = text.split_once('\n').ok_or(Damaged)?;
        let header: serde_json::Value = serde_json::from_str(header).map_err(|_| Damaged)?;
        let number = |key: &str| header.get(key).and_then(serde_json::Value::as_u64);
        let length = |key: &str| number(key).and_then(|length| usize::try_from(length).ok());
        if number("format") != Some(FORMAT) {
            return Err(Damaged);
        }
        let (before, rest) = texts.split_at_checked(length("before").ok_or(Damaged)?).ok_or(Damaged)?;
        let (between, after) = rest.split_at_checked(length("between").unwrap_or(0)).ok_or(Damaged)?;
        if Some(after.len()) != length("after") {
            return Err(Damaged);
        }
        let duration = |key: &str| number(key).map(Duration::from_millis).ok_or(Damaged);
        Ok(Self {
            deadline: UNIX_EPOCH.checked_add(duration("deadline")?).ok_or(Damaged)?,
            within: duration("within")?,
            before: before.to_owned(),
            between: length("between").map(|_| between.to_owned()),
            after: after.to_owned(),
        })
    }

    /// How long it still lasts.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.duration_since(SystemTime::now()).unwrap_or_default().min(self.within)
    }

    /// What the file must hold for the changes to be undone. Hand edits elsewhere in it stay.
    pub(super) fn undo(&self, current: &str) -> Undo {
        if current == self.before {
            return Undo::Nothing;
        }
        if current == self.after || self.between.as_deref() == Some(current) {
            return Undo::Text(self.before.clone());
        }
        reversed(&self.before, &self.after, current).map_or(Undo::Impossible, Undo::Text)
    }
}

/// The lines in which two texts differ: where they begin, and where they end in either text.
fn difference(one: &str, other: &str) -> (usize, usize, usize) {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let line = |text: &[u8], at: usize| {
        memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |end| end + 1)
    };
    let start = line(one, same);
    let (one_tail, other_tail) =
        (one.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    let same =
        one_tail.iter().rev().zip(other_tail.iter().rev()).take_while(|(one, other)| one == other).count();
    // Only whole lines.
    let begins_line = |tail: &[u8]| {
        let before = tail.len().checked_sub(same + 1).and_then(|at| tail.get(at));
        before.is_none_or(|byte| *byte == b'\n')
    };
    let same = match begins_line(one_tail) && begins_line(other_tail) {
        true => same,
        false => {
            let tail = one.get(one.len() - same..).unwrap_or_default();
            memchr::memchr(b'\n', tail).map_or(0, |end| same - end - 1)
        }
    };
    (start, one.len() - same, other.len() - same)
}

/// The current text without the change from `before` to `after`, if no line is concerned by both.
fn reversed(before: &str, after: &str, current: &str) -> Option<String> {
    let (start, end_before, end_after) = difference(before, after);
    let (hand_start, hand_end, hand_end_now) = difference(after, current);
    let put_back = before.get(start..end_before)?;
    let (start, end) = if hand_end <= start {
        (start - hand_end + hand_end_now, end_after - hand_end + hand_end_now)
    } else if end_after <= hand_start {
        (start, end_after)
    } else {
        return None;
    };
    Some([current.get(..start)?, put_back, current.get(end..)?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trial(before: &str, between: Option<&str>, after: &str) -> Trial {
        Trial {
            deadline: UNIX_EPOCH + Duration::from_millis(1_800_000_000_123),
            within: Duration::from_secs(120),
            before: before.into(),
            between: between.map(Into::into),
            after: after.into(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_damage_is_seen() {
        for trial in [trial("a\n", None, "ä\n"), trial("", Some(""), ""), trial("1", Some("22"), "333")] {
            let written = trial.header() + &trial.texts().concat();
            assert_eq!(Trial::parse(written.as_bytes()).unwrap(), trial);
            assert!(Trial::parse(&written.as_bytes()[..written.len() - 1]).is_err());
            assert!(Trial::parse(format!("{written}x").as_bytes()).is_err());
        }
        for text in
            ["", "{}\n", "x\n", "{\"format\":2,\"before\":0,\"after\":0,\"deadline\":0,\"within\":0}\n"]
        {
            assert!(Trial::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn undoing() {
        let trial = trial("a\nb\nc\nd\n", Some("a\nB\nc\nd\n"), "a\nB\nC\nd\n");
        #[rustfmt::skip]
        let cases = [
            ("a\nb\nc\nd\n",       Undo::Nothing,                             "it never came"),
            ("a\nB\nC\nd\n",       Undo::Text("a\nb\nc\nd\n".into()),         "as it was left"),
            ("a\nB\nc\nd\n",       Undo::Text("a\nb\nc\nd\n".into()),         "the last one never came"),
            ("x\na\nB\nC\nd\n",    Undo::Text("x\na\nb\nc\nd\n".into()),      "edited before it"),
            ("a\nB\nC\nd\ny\n",    Undo::Text("a\nb\nc\nd\ny\n".into()),      "edited behind it"),
            ("B\nC\nd\n",          Undo::Text("b\nc\nd\n".into()),            "a line less before it"),
            ("a\nB\nX\nd\n",       Undo::Impossible,                          "edited within it"),
            ("x\na\nB\nC\nd\ny\n", Undo::Impossible,                          "edited on both sides"),
        ];
        for (current, expected, name) in cases {
            assert_eq!(trial.undo(current), expected, "{name}");
        }
    }

    proptest! {
        /// A hand edit above or below is all that differs from the text before.
        #[test]
        fn hand_edits_elsewhere_stay(
            head in "(h[a-c]{0,2}\n){1,3}", old in "(o[a-c]{0,2}\n){0,3}", new in "(n[a-c]{0,2}\n){0,3}",
            tail in "(t[a-c]{0,2}\n){1,3}", hand in "(x[a-c]{0,2}\n){1,3}", below in any::<bool>(),
        ) {
            let text = |middle: &str| match below {
                true => (format!("{head}{middle}{tail}"), format!("{head}{middle}{tail}{hand}")),
                false => (format!("{head}{middle}{tail}"), format!("{hand}{head}{middle}{tail}")),
            };
            let ((before, wanted), (after, current)) = (text(&old), text(&new));
            prop_assert_eq!(reversed(&before, &after, &current), Some(wanted));
        }
    }
}
