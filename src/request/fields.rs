//! The fields of a request, in the order in which they came.
//!
//! The text of a head, and where names and values stand in it → names and values, without a copy, a hash or an allocation
//! for each. Names are in lower case. Values hold no control byte but HTAB; who makes fields sees to that, as the
//! scanner of `server` and `http`'s types do. A head has some ten fields: looking through all of them is cheaper than an index, and
//! a set of the names that are there answers most questions without looking.
//!
//! Holds secrets, so it cannot be printed.

use super::field_name::{FieldName, Names};
use crate::http1::make_lower;
use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::ops::Range;

/// Room for the fields of nearly every head, and one of ours: a power of two in bytes, which is the fastest to allocate.
pub const USUAL_FIELDS: usize = 1024 / size_of::<Place>();
/// Bytes of a field that we add.
const ROOM_FOR_OURS: usize = 64;

/// The fields.
#[derive(Clone, Default)]
pub struct Fields {
    text: BytesMut,
    places: Vec<Place>,
    names: Names,
}

/// Where a field stands in the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    name: Range<usize>,
    value: Range<usize>,
    known: FieldName,
    sensitive: bool,
}

impl Place {
    /// A line from `start` to `end`, its CRLF not included, with its colon at `colon`.
    pub fn of_line(start: usize, colon: usize, end: usize) -> Self {
        Self { name: start..colon, value: colon + 1..end, known: FieldName::Other, sensitive: false }
    }

    /// Makes of a line a field: its name in lower case and known, its value without the blanks around it.
    fn settle(&mut self, text: &mut [u8]) -> Option<()> {
        let mut value = text.get(self.value.clone())?;
        while let [b' ' | b'\t', rest @ ..] = value {
            (self.value.start, value) = (self.value.start + 1, rest);
        }
        while let [rest @ .., b' ' | b'\t'] = value {
            (self.value.end, value) = (self.value.end - 1, rest);
        }
        let name = text.get_mut(self.name.clone())?;
        make_lower(name);
        self.known = FieldName::of(name);
        Some(())
    }
}

/// A field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Which of the known names it has.
    pub known: FieldName,
    /// Its name, in lower case.
    pub name: &'a [u8],
    /// Its value, without the blanks around it.
    pub value: &'a [u8],
    /// Whether it must not get into a compression table (RFC 7541 §7.1.3).
    pub sensitive: bool,
}

impl<'a> Field<'a> {
    /// The name as text; that of a field in another alphabet, which there is not, is empty.
    pub fn name(&self) -> &'a str {
        std::str::from_utf8(self.name).unwrap_or_default()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Fields {
    /// Those whose lines stand in this text, which may be a whole head. `None`: they do not stand there.
    pub fn of_lines(mut text: BytesMut, mut places: Vec<Place>) -> Option<Self> {
        let mut names = Names::default();
        for place in &mut places {
            place.settle(&mut text)?;
            names.add(place.known);
        }
        Some(Self { text, places, names })
    }

    /// None yet, and room for so many, of so many bytes in all.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        let (text, places) = (BytesMut::with_capacity(bytes), Vec::with_capacity(fields));
        Self { text, places, names: Names::default() }
    }

    /// Adds a field; its name is in lower case.
    pub fn append(&mut self, name: &str, value: &[u8]) {
        self.push(name.as_bytes(), value, false);
    }

    /// Adds a field; its name is a token in lower case.
    pub fn push(&mut self, name: &[u8], value: &[u8], sensitive: bool) {
        let start = self.text.len();
        for part in [name, b": ", value, b"\r\n"] {
            self.text.extend_from_slice(part);
        }
        let known = FieldName::of(name);
        let name = start..start + name.len();
        let value = name.end + 2..name.end + 2 + value.len();
        self.names.add(known);
        self.places.push(Place { name, value, known, sensitive });
    }

    /// Puts a field in the place of all others of its name.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        let Self { text, places, names } = self;
        if names.contain(FieldName::of(name.as_bytes())) {
            places.retain(|place| !is_named(text, place, name));
        }
        self.append(name, value);
    }

    /// Exchanges values of a name; `None` leaves one as it is.
    ///
    /// # Errors
    /// Those of `exchange`; values before the one that failed are exchanged.
    pub fn exchange<E>(
        &mut self,
        name: &str,
        exchange: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<(), E> {
        for place in &mut self.places {
            if !is_named(&self.text, place, name) {
                continue;
            }
            let value = self.text.get(place.value.clone()).unwrap_or_default();
            if let Some(value) = exchange(value)? {
                let start = self.text.len();
                self.text.extend_from_slice(&value);
                place.value = start..self.text.len();
            }
        }
        Ok(())
    }

    /// What they stand in.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Bytes of all their lines.
    pub fn size(&self) -> usize {
        let line = |Place { name, value, .. }: &Place| name.len() + value.len() + b": \r\n".len();
        self.places.iter().map(line).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.places.iter().map(|place| self.at(place))
    }

    /// All of them, each with its whole line if that is name, `: `, value and CRLF.
    pub fn lines(&self) -> impl Iterator<Item = (Field<'_>, Option<&[u8]>)> {
        self.places.iter().map(|place| (self.at(place), self.line(place)))
    }

    fn at(&self, place: &Place) -> Field<'_> {
        let Place { name, value, known, sensitive } = place;
        let part = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        Field { known: *known, name: part(name), value: part(value), sensitive: *sensitive }
    }

    fn line(&self, Place { name, value, .. }: &Place) -> Option<&[u8]> {
        let between = self.text.get(name.end..value.start)?;
        let line = self.text.get(name.start..value.end + 2)?;
        (between == b": " && line.ends_with(b"\r\n")).then_some(line)
    }

    /// Whether there is a field of this name.
    pub fn have(&self, name: FieldName) -> bool {
        self.names.contain(name)
    }

    /// The values of a known name.
    pub fn all(&self, name: FieldName) -> impl Iterator<Item = &[u8]> + Clone {
        let places: &[Place] = if self.have(name) { &self.places } else { &[] };
        let named = places.iter().filter(move |place| place.known == name);
        named.map(|place| self.text.get(place.value.clone()).unwrap_or_default())
    }

    /// The first value of a known name.
    pub fn get(&self, name: FieldName) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The values of a name, in whatever case it is given.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> + Clone {
        let same = move |field: &Field<'_>| field.name.eq_ignore_ascii_case(name.as_bytes());
        self.iter().filter(same).map(|field| field.value)
    }
}

fn is_named(text: &[u8], place: &Place, name: &str) -> bool {
    text.get(place.name.clone()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()))
}

/// A value as text, if it is visible ASCII, blanks and HTAB (RFC 9110 §5.5 without `obs-text`).
pub fn text(value: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    std::str::from_utf8(value).ok().filter(|_| value.iter().all(is_plain))
}

impl From<&HeaderMap> for Fields {
    fn from(map: &HeaderMap) -> Self {
        let bytes: usize = map.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let mut fields = Self::with_capacity(map.len() + 1, bytes + ROOM_FOR_OURS);
        for (name, value) in map {
            fields.push(name.as_str().as_bytes(), value.as_bytes(), value.is_sensitive());
        }
        fields
    }
}

/// Lines that `http` takes for none are left out; there are none.
impl From<&Fields> for HeaderMap {
    fn from(fields: &Fields) -> Self {
        let mut map = Self::with_capacity(fields.len());
        for Field { name, value, sensitive, .. } in fields.iter() {
            if let (Ok(name), Ok(mut value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
            {
                value.set_sensitive(sensitive);
                map.append(name, value);
            }
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(fields: &Fields) -> Vec<String> {
        fields.iter().map(|field| format!("{}={}", field.name(), text(field.value).unwrap())).collect()
    }

    #[test]
    fn fields_stand_in_a_head_and_behind_it() {
        let head = BytesMut::from("GET / HTTP/1.1\r\nHoSt:\ta \r\nX-A: 1\r\n\r\n");
        let places = [Place::of_line(16, 20, 24), Place::of_line(26, 29, 32)];
        for nowhere in [Place::of_line(40, 50, 60), Place::of_line(0, 1, 60), Place::of_line(20, 10, 12)] {
            assert!(Fields::of_lines(head.clone(), vec![nowhere]).is_none());
        }
        let mut fields = Fields::of_lines(head, places.to_vec()).unwrap();
        fields.append("x-b", b"");
        assert_eq!(shown(&fields), ["host=a", "x-a=1", "x-b="]);
        let lines: Vec<_> = fields.lines().map(|(_, line)| line).collect();
        assert_eq!(lines, [None, Some(b"x-a: 1\r\n".as_slice()), Some(b"x-b: \r\n")]);
        assert!(fields.have(FieldName::Host) && !fields.have(FieldName::Cookie));
        assert_eq!(
            (fields.get(FieldName::Host), fields.get(FieldName::Cookie)),
            (Some(b"a".as_slice()), None)
        );
    }

    #[test]
    fn values_are_set_and_exchanged() {
        let mut fields = Fields::default();
        for (name, value) in [("x-a", "1"), ("te", "2"), ("x-a", "3"), ("x-b", "4")] {
            fields.append(name, value.as_bytes());
        }
        let doubled =
            |value: &[u8]| if value == b"3" { Ok::<_, ()>(Some(value.repeat(2))) } else { Ok(None) };
        assert_eq!(fields.exchange("X-A", doubled), Ok(()));
        assert_eq!(shown(&fields), ["x-a=1", "te=2", "x-a=33", "x-b=4"]);
        assert_eq!(fields.lines().filter(|(_, line)| line.is_none()).count(), 1);
        assert_eq!(fields.exchange("x-b", |_| Err("no")), Err("no"));
        fields.set("x-a", b"5");
        assert_eq!(shown(&fields), ["te=2", "x-b=4", "x-a=5"]);
        assert_eq!(fields.named("X-a").collect::<Vec<_>>(), [b"5"]);
    }

    #[test]
    fn nothing_is_printed() {
        let mut fields = Fields::default();
        fields.append("authorization", b"SECRET");
        let printed = format!("{fields:?} {:?}", fields.iter().collect::<Vec<_>>());
        assert!(!printed.contains("SECRET"), "{printed}");
    }

    proptest! {
        #[test]
        fn they_hold_what_a_header_map_holds(
            lines in prop::collection::vec(("[a-c]|host|cookie", "[!-~]{0,3}", any::<bool>()), 0..9)
        ) {
            let mut map = HeaderMap::new();
            for (name, value, sensitive) in &lines {
                let mut value: HeaderValue = value.parse().unwrap();
                value.set_sensitive(*sensitive);
                map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
            }
            let fields = Fields::from(&map);
            prop_assert_eq!((fields.len(), fields.is_empty()), (map.len(), map.is_empty()));
            let back = HeaderMap::from(&fields);
            prop_assert!(map.iter().zip(&back).all(|((_, a), (_, b))| a.is_sensitive() == b.is_sensitive()));
            for name in ["a", "b", "c", "host", "cookie"] {
                let of_map: Vec<_> = map.get_all(name).iter().map(HeaderValue::as_bytes).collect();
                prop_assert_eq!(fields.named(name).collect::<Vec<_>>(), of_map.clone());
                let known = FieldName::of(name.as_bytes());
                prop_assert_eq!(fields.have(known), fields.iter().any(|field| field.known == known));
                if known != FieldName::Other {
                    prop_assert_eq!(fields.all(known).collect::<Vec<_>>(), of_map);
                }
            }
            prop_assert_eq!(back, map);
        }
    }
}
