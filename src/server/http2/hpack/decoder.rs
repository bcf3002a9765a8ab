//! Header blocks → field lines (RFC 7541 §3, §6).
//!
//! Every block of a connection has to be decoded, also of requests that nobody wants: the next ones build on it. Whoever gets
//! the lines bounds what it keeps of them; here nothing but the table is kept.

use super::huffman;
use super::table::{Entry, MOST_BYTES, Table};
use std::fmt;

/// The decoder of a connection. Remembers at most 4 KiB, by HPACK's own count (§4.1).
#[derive(Default)]
pub struct Decoder {
    table: Table,
}

/// A field line as it was sent.
pub struct Line<'a> {
    /// Its name, in whatever case.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// Whether it must not get into a compression table (§6.2.3).
    pub sensitive: bool,
}

/// Room for decoded strings; what stands in it is of no meaning.
#[derive(Default)]
pub struct Room {
    name: Vec<u8>,
    value: Vec<u8>,
}

/// A block that is none: the connection's table can be relied on no more (COMPRESSION_ERROR).
#[derive(Debug)]
pub struct Broken;

/// Lines may carry secrets, and so may what is remembered of them.
macro_rules! unseen {
    ($($name:literal $type:ty),+) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        })+
    };
}
unseen!("Decoder" Decoder, "Line" Line<'_>, "Room" Room);

/// Bytes of a block that are still to be read.
struct Input<'a>(&'a [u8]);

impl Decoder {
    /// Hands on the lines of a block, one after the other. Linear in the length of the block and of the lines.
    ///
    /// # Errors
    /// [`Broken`]; lines before the broken one were handed on.
    pub fn decode(
        &mut self,
        block: &[u8],
        room: &mut Room,
        mut each: impl FnMut(Line<'_>),
    ) -> Result<(), Broken> {
        let mut input = Input(block);
        let mut begun = false;
        while let Some(&first) = input.0.first() {
            if first & 0xe0 == 0x20 {
                self.resize(&mut input, begun)?;
            } else {
                begun = true;
                self.line(first, &mut input, room, &mut each)?;
            }
        }
        Ok(())
    }

    /// A new size of the table (§6.3), which only stands before the first line (§4.2).
    fn resize(&mut self, input: &mut Input<'_>, begun: bool) -> Result<(), Broken> {
        let most = input.number(5)?;
        if begun || most > MOST_BYTES {
            return Err(Broken);
        }
        self.table.resize(most);
        Ok(())
    }

    fn line(
        &mut self,
        first: u8,
        input: &mut Input<'_>,
        room: &mut Room,
        each: &mut impl FnMut(Line<'_>),
    ) -> Result<(), Broken> {
        if first & 0x80 != 0 {
            let (name, value) = self.table.get(input.number(7)?).ok_or(Broken)?;
            each(Line { name, value, sensitive: false });
            return Ok(());
        }
        let (indexed, sensitive) = (first & 0x40 != 0, first & 0xf0 == 0x10);
        let name = match input.number(if indexed { 6 } else { 4 })? {
            0 => input.string(&mut room.name)?,
            index => self.table.get(index).ok_or(Broken)?.0,
        };
        let value = input.string(&mut room.value)?;
        each(Line { name, value, sensitive });
        if indexed {
            let entry = Entry::new(name, value);
            self.table.insert(entry);
        }
        Ok(())
    }
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8, Broken> {
        let (byte, rest) = self.0.split_first().ok_or(Broken)?;
        self.0 = rest;
        Ok(*byte)
    }

    /// A number whose first bits stand in the low ones of a byte (§5.1). None that means anything here has more than
    /// 28 bits.
    fn number(&mut self, bits: u32) -> Result<usize, Broken> {
        let most = (1_usize << bits) - 1;
        let mut number = usize::from(self.byte()?) & most;
        if number < most {
            return Ok(number);
        }
        for shift in [0, 7, 14, 21] {
            let byte = usize::from(self.byte()?);
            number += (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Broken)
    }

    /// A string (§5.2): where it stands, or decoded into the room.
    fn string<'b>(&mut self, room: &'b mut Vec<u8>) -> Result<&'b [u8], Broken>
    where
        'a: 'b,
    {
        let coded = self.0.first().is_some_and(|first| first & 0x80 != 0);
        let length = self.number(7)?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        if !coded {
            return Ok(text);
        }
        room.clear();
        huffman::decode(text, room).ok_or(Broken)?;
        Ok(room)
    }
}
