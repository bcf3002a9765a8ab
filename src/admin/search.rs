//! Searching by name: criteria from a query or a body, objects in, one page of them and the number of all out.
//!
//! `name` may have `*`; without one it is looked for anywhere. Case does not count. Orders are stable: what is equal is ordered
//! by id. Defaults are those of the document: by query `name ASC`, by body `insertInstant DESC`; 25 from row 0.
//! Clients' quirks are taken as meant: `false` and `true` for 0 and 1.

use super::call::Call;
use super::errors::{Errors, Problem};
use super::fields::Fields;
use serde_json::Value;
use std::cmp::Ordering;

/// What is answered where nothing is said of it.
pub const NUMBER_OF_RESULTS: usize = 25;

/// What is looked for, in which order, and which part of it is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Criteria {
    /// In lower case; `None` is everything.
    pattern: Option<String>,
    column: Column,
    descending: bool,
    start_row: usize,
    number_of_results: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Id,
    InsertInstant,
    LastUpdateInstant,
    Name,
}

/// What an object is found and ordered by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub insert_instant: i64,
    /// When it was last changed.
    pub last_update_instant: i64,
}

/// One page of what was found.
#[derive(Debug)]
pub struct Page<T> {
    /// The page.
    pub rows: Vec<T>,
    /// How many were found in all.
    pub total: usize,
}

impl Criteria {
    /// From a query.
    ///
    /// # Errors
    /// Values that are none.
    pub fn from_query(call: &Call<'_>) -> Result<Self, Problem> {
        let (query, mut errors) = (&call.query, Errors::default());
        let number = |name| query.value(name).map(|text| Value::from(text.to_owned()));
        let criteria = Self {
            pattern: query.value("name").map(str::to_lowercase),
            start_row: count(number("startRow").as_ref(), "startRow", 0, &mut errors),
            number_of_results: count(
                number("numberOfResults").as_ref(),
                "numberOfResults",
                NUMBER_OF_RESULTS,
                &mut errors,
            ),
            ..order(query.value("orderBy").unwrap_or("name ASC"), &mut errors)
        };
        errors.check().map(|()| criteria)
    }

    /// From the `search` object of a body.
    ///
    /// # Errors
    /// Values that are none, or no JSON.
    pub fn from_body(call: &Call<'_>) -> Result<Self, Problem> {
        let (body, mut errors) = (call.object()?, Errors::default());
        let search = Fields::of(&body, "search", &mut errors);
        let order_by = search.text("orderBy", &mut errors);
        let criteria = Self {
            pattern: search.text("name", &mut errors).map(str::to_lowercase),
            start_row: count(search.value("startRow"), "startRow", 0, &mut errors),
            number_of_results: count(
                search.value("numberOfResults"),
                "numberOfResults",
                NUMBER_OF_RESULTS,
                &mut errors,
            ),
            ..order(order_by.unwrap_or("insertInstant DESC"), &mut errors)
        };
        errors.check().map(|()| criteria)
    }

    /// The page that is wanted of these objects. Cost: O(n) for what is there, O(m log m) for what is found.
    pub fn page<T>(&self, objects: impl Iterator<Item = T>, keys: impl Fn(&T) -> Keys) -> Page<T> {
        let mut found: Vec<(Keys, T)> = objects
            .map(|object| (keys(&object), object))
            .filter(|(keys, _)| {
                self.pattern.as_ref().is_none_or(|pattern| matches(pattern, &keys.name.to_lowercase()))
            })
            .collect();
        found.sort_by(|(one, _), (other, _)| self.compare(one, other));
        let total = found.len();
        let rows = found.into_iter().skip(self.start_row).take(self.number_of_results);
        Page { rows: rows.map(|(_, object)| object).collect(), total }
    }

    fn compare(&self, one: &Keys, other: &Keys) -> Ordering {
        let order = match self.column {
            Column::Id => one.id.cmp(&other.id),
            Column::InsertInstant => one.insert_instant.cmp(&other.insert_instant),
            Column::LastUpdateInstant => one.last_update_instant.cmp(&other.last_update_instant),
            Column::Name => one
                .name
                .to_lowercase()
                .cmp(&other.name.to_lowercase())
                .then_with(|| one.name.cmp(&other.name)),
        };
        let order = if self.descending { order.reverse() } else { order };
        order.then_with(|| one.id.cmp(&other.id))
    }
}

fn order(text: &str, errors: &mut Errors) -> Criteria {
    let mut words = text.split_ascii_whitespace();
    let column = match words.next() {
        Some("id") => Some(Column::Id),
        Some("insertInstant") => Some(Column::InsertInstant),
        Some("lastUpdateInstant") => Some(Column::LastUpdateInstant),
        Some("name") => Some(Column::Name),
        _ => None,
    };
    let descending = match words.next().map(str::to_ascii_uppercase).as_deref() {
        None | Some("ASC") => Some(false),
        Some("DESC") => Some(true),
        Some(_) => None,
    };
    if column.is_none() || descending.is_none() || words.next().is_some() {
        let message =
            "expected `id`, `insertInstant`, `lastUpdateInstant` or `name`, and `ASC` or `DESC` behind it";
        errors.field("invalid", "search.orderBy", message);
    }
    Criteria {
        pattern: None,
        column: column.unwrap_or(Column::Name),
        descending: descending.unwrap_or(false),
        start_row: 0,
        number_of_results: 0,
    }
}

/// A number of rows, in whichever way a client writes it.
fn count(value: Option<&Value>, name: &str, default: usize, errors: &mut Errors) -> usize {
    let number = match value {
        None => Some(default),
        Some(Value::Bool(boolean)) => Some((*boolean).into()),
        Some(Value::Number(number)) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        Some(Value::String(text)) => match text.as_str() {
            "false" => Some(0),
            "true" => Some(1),
            "" | "undefined" | "null" => Some(default),
            digits => digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit())),
        },
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => None,
    };
    number.unwrap_or_else(|| {
        errors.field("invalid", format!("search.{name}"), "expected a number, from 0");
        default
    })
}

/// Whether a name is like a pattern: `*` stands for anything, and a pattern without one for a part of the name. Cost:
/// linear in the name for each `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return name.contains(pattern) };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let Some((middle, last)) = rest.rsplit_once('*') else { return left.ends_with(rest) };
    for part in middle.split('*') {
        let Some((_, behind)) = left.split_once(part) else { return false };
        left = behind;
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns() {
        #[rustfmt::skip]
        let cases = [
            ("", "x", true), ("b", "abc", true), ("d", "abc", false), ("*", "", true), ("*", "abc", true),
            ("a*", "abc", true), ("b*", "abc", false), ("*c", "abc", true), ("*b", "abc", false), ("a*c", "abc", true),
            ("a*a", "a", false), ("a*b*c", "axbxc", true), ("a**c", "ac", true), ("*b*", "abc", true), ("*ab*ab*", "ab", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    /// The same by trying everything.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, rest) => rest.is_none(),
            (Some(('*', pattern)), _) => (0..=name.len()).any(|skip| naive(pattern, &name[skip..])),
            (Some((one, pattern)), Some((other, name))) => one == other && naive(pattern, name),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_are_like_their_twin(pattern in "[ab*]{0,6}\\*[ab*]{0,6}", name in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), naive(&chars(&pattern), &chars(&name)));
        }
    }

    fn criteria(order_by: &str) -> Criteria {
        let mut errors = Errors::default();
        let criteria = Criteria { number_of_results: 25, ..order(order_by, &mut errors) };
        assert!(errors.is_empty(), "{order_by}");
        criteria
    }

    #[test]
    fn orders_and_pages() {
        let rows = [("1", "b", 3), ("2", "A", 3), ("3", "c", 1)];
        let keys = |row: &&(&str, &str, i64)| Keys {
            id: row.0.to_owned(),
            name: row.1.to_owned(),
            insert_instant: row.2,
            last_update_instant: -row.2,
        };
        let found = |criteria: &Criteria| {
            let page = criteria.page(rows.iter(), keys);
            (page.rows.iter().map(|row| row.0).collect::<String>(), page.total)
        };
        for (order_by, expected) in [
            ("id", "123"),
            ("id DESC", "321"),
            ("name", "213"),
            ("name desc", "312"),
            ("insertInstant", "312"),
            ("insertInstant DESC", "123"),
            ("lastUpdateInstant asc", "123"),
        ] {
            assert_eq!(found(&criteria(order_by)), (expected.to_owned(), 3), "{order_by}");
        }
        let second = Criteria { start_row: 1, number_of_results: 1, ..criteria("id") };
        assert_eq!(found(&second), ("2".to_owned(), 3));
        let one = Criteria { pattern: Some("a".to_owned()), ..criteria("id") };
        assert_eq!(found(&one), ("2".to_owned(), 1));
        let beyond = Criteria { start_row: 9, ..criteria("id") };
        assert_eq!(found(&beyond), (String::new(), 3));
    }

    #[test]
    fn numbers_as_clients_write_them() {
        let mut errors = Errors::default();
        for (value, expected) in [
            (Value::from(7), 7),
            (Value::from("7"), 7),
            (Value::from(false), 0),
            (Value::from("true"), 1),
            (Value::from("undefined"), 25),
        ] {
            assert_eq!(count(Some(&value), "startRow", 25, &mut errors), expected, "{value}");
        }
        assert!(errors.is_empty());
        for value in
            [Value::from(-1), Value::from(1.5), Value::from("x"), Value::from("+1"), Value::from(vec![1])]
        {
            let mut errors = Errors::default();
            count(Some(&value), "startRow", 25, &mut errors);
            assert!(errors.field_errors.contains_key("search.startRow"), "{value}");
        }
    }

    #[test]
    fn orders_that_are_none() {
        for text in ["", "x", "name sideways", "name ASC x", "name,id"] {
            let mut errors = Errors::default();
            order(text, &mut errors);
            assert!(!errors.is_empty(), "{text}");
        }
    }
}
