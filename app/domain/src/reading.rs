//! Reading JSON with little code: for the browser, where every type that is read adds to what a phone has to load.
//!
//! `serde_json` compiles, for every type, a reader of its fields by name and another by place, and a sentence for everything that may be wrong. Our
//! own answers and what a phone kept are either as they should be or of no use, so here the text becomes a tree first (once, the same code
//! for all types), fields are read by name only, and what is wrong is [`Unreadable`]. The browser side of the release is 10 % shorter for it, as it
//! travels. The server reads what strangers send with `serde_json`.
//!
//! What both read is the same, which the tests show with the very types that travel. Beyond that this one is more patient with how a number is
//! written, and knows no fractions but those that [`crate::wire`] reads from their own text.

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::borrow::Cow;
use std::fmt::Display;

/// Deeper than anything that travels.
const DEEPEST: u8 = 64;

/// By this name `serde_json` asks for the text of a value instead of its meaning.
pub(crate) const RAW: &str = "$serde_json::private::RawValue";

/// The text is no JSON, or not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not what was asked for")]
pub struct Unreadable;

impl serde::de::Error for Unreadable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, Unreadable>;

/// Reads a value.
///
/// # Errors
/// [`Unreadable`].
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    T::deserialize(&tree(text)?)
}

/// A value, as it was written.
enum Node<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

fn tree(text: &str) -> Result<Node<'_>> {
    let mut writing = Writing { text, at: 0 };
    let node = writing.node(DEEPEST)?;
    if writing.next_sign().is_some() { Err(Unreadable) } else { Ok(node) }
}

/// Where the reader is in a text.
struct Writing<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Writing<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; it stays the next.
    fn next_sign(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    fn expect(&mut self, sign: u8) -> Result<()> {
        if self.next_sign() != Some(sign) {
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another element follows, in a list that `close` ends.
    fn goes_on(&mut self, is_first: bool, close: u8) -> Result<bool> {
        match self.next_sign() {
            Some(sign) if sign == close => {
                self.at += 1;
                Ok(false)
            }
            _ if is_first => Ok(true),
            _ => self.expect(b',').map(|()| true),
        }
    }

    fn word(&mut self, word: &str, node: Node<'a>) -> Result<Node<'a>> {
        let rest = self.text.get(self.at..).ok_or(Unreadable)?;
        if !rest.starts_with(word) {
            return Err(Unreadable);
        }
        self.at += word.len();
        Ok(node)
    }

    fn node(&mut self, deep: u8) -> Result<Node<'a>> {
        let deep = deep.checked_sub(1).ok_or(Unreadable)?;
        match self.next_sign().ok_or(Unreadable)? {
            b'n' => self.word("null", Node::Null),
            b't' => self.word("true", Node::Bool(true)),
            b'f' => self.word("false", Node::Bool(false)),
            b'"' => Ok(Node::Text(self.string()?)),
            b'[' => {
                self.at += 1;
                let mut list = Vec::new();
                while self.goes_on(list.is_empty(), b']')? {
                    list.push(self.node(deep)?);
                }
                Ok(Node::List(list))
            }
            b'{' => {
                self.at += 1;
                let mut map = Vec::new();
                while self.goes_on(map.is_empty(), b'}')? {
                    self.next_sign();
                    let key = self.string()?;
                    self.expect(b':')?;
                    map.push((key, self.node(deep)?));
                }
                Ok(Node::Map(map))
            }
            b'-' | b'0'..=b'9' => {
                let from = self.at;
                while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.byte() {
                    self.at += 1;
                }
                self.text.get(from..self.at).map(Node::Number).ok_or(Unreadable)
            }
            _ => Err(Unreadable),
        }
    }

    /// A text between quotes; without an escape nothing is copied.
    fn string(&mut self) -> Result<Cow<'a, str>> {
        if self.byte() != Some(b'"') {
            return Err(Unreadable);
        }
        self.at += 1;
        let mut unescaped: Option<String> = None;
        loop {
            let from = self.at;
            while !matches!(self.byte().ok_or(Unreadable)?, b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            let plain = self.text.get(from..self.at).ok_or(Unreadable)?;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    let text = unescaped.get_or_insert_default();
                    text.push_str(plain);
                    text.push(self.escape()?);
                }
                _ => return Err(Unreadable),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char> {
        let sign = self.byte().ok_or(Unreadable)?;
        self.at += 1;
        Ok(match sign {
            b'"' | b'\\' | b'/' => char::from(sign),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits()?;
                let is_half = (0xd800..0xdc00).contains(&first);
                let code = if is_half {
                    // The other half follows.
                    if self.text.get(self.at..self.at + 2) != Some("\\u") {
                        return Err(Unreadable);
                    }
                    self.at += 2;
                    let second = self.four_digits()?.checked_sub(0xdc00).filter(|second| *second < 0x400).ok_or(Unreadable)?;
                    0x1_0000 + ((first - 0xd800) << 10) + second
                } else {
                    first
                };
                char::from_u32(code).ok_or(Unreadable)?
            }
            _ => return Err(Unreadable),
        })
    }

    fn four_digits(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        self.at += 4;
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(Unreadable)
    }
}

/// Whole numbers go to the visitor in the widest type.
fn whole<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value> {
    if text.starts_with('-') {
        return visitor.visit_i64(text.parse().map_err(|_| Unreadable)?);
    }
    visitor.visit_u64(text.parse().map_err(|_| Unreadable)?)
}

macro_rules! whole_numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            whole(self.digits()?, visitor)
        })*
    };
}

impl<'a> Node<'a> {
    fn digits(&self) -> Result<&'a str> {
        if let Self::Number(text) = self { Ok(text) } else { Err(Unreadable) }
    }

    /// As it was written, as far as somebody asks for that.
    fn raw(&self) -> Result<String> {
        Ok(match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(text) => (*text).to_owned(),
            Self::Text(text) => format!("\"{text}\""),
            Self::List(_) | Self::Map(_) => return Err(Unreadable),
        })
    }
}

impl<'de> Deserializer<'de> for &Node<'_> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Number(text) => whole(text, visitor),
            Node::Text(text) => visitor.visit_str(text),
            Node::List(list) => visitor.visit_seq(Elements(list.iter())),
            Node::Map(map) => visitor.visit_map(Entries { rest: map.iter(), value: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Node::Bool(value) = self { visitor.visit_bool(*value) } else { Err(Unreadable) }
    }

    whole_numbers! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
    deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Node::Text(text) = self { visitor.visit_str(text) } else { Err(Unreadable) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Node::Null = self { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Node::Null = self { visitor.visit_unit() } else { Err(Unreadable) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name == RAW { visitor.visit_map(Raw(Some(self.raw()?))) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Node::List(list) = self { visitor.visit_seq(Elements(list.iter())) } else { Err(Unreadable) }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Node::Map(map) = self { visitor.visit_map(Entries { rest: map.iter(), value: None }) } else { Err(Unreadable) }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        match self {
            Node::Text(name) => visitor.visit_enum(Variant { name, content: None }),
            Node::Map(map) => match map.as_slice() {
                [(name, content)] => visitor.visit_enum(Variant { name, content: Some(content) }),
                _ => Err(Unreadable),
            },
            _ => Err(Unreadable),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { f32 f64 bytes byte_buf }
}

struct Elements<'a>(std::slice::Iter<'a, Node<'a>>);

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Unreadable;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, (Cow<'a, str>, Node<'a>)>,
    value: Option<&'a Node<'a>>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Unreadable;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.value.take().ok_or(Unreadable)?)
    }
}

/// The name of an entry: a text, of a number where the type says so.
struct Key<'a>(&'a str);

impl Key<'_> {
    fn digits(&self) -> Result<&str> {
        Ok(self.0)
    }
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.0)
    }

    whole_numbers! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
    deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        visitor.visit_enum(Variant { name: self.0, content: None })
    }

    serde::forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Node<'a>>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Unreadable;
    type Variant = Content<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'a>)> {
        let name: StrDeserializer<'_, Unreadable> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.content)))
    }
}

struct Content<'a>(Option<&'a Node<'a>>);

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<()> {
        if matches!(self.0, None | Some(Node::Null)) { Ok(()) } else { Err(Unreadable) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.0.ok_or(Unreadable)?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.0.ok_or(Unreadable)?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.0.ok_or(Unreadable)?.deserialize_map(visitor)
    }
}

/// A value's own text, as `serde_json` hands it over.
struct Raw(Option<String>);

impl<'de> MapAccess<'de> for Raw {
    type Error = Unreadable;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.0.is_none() {
            return Ok(None);
        }
        seed.deserialize(Key(RAW)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        let text = self.0.take().ok_or(Unreadable)?;
        let text: StrDeserializer<'_, Unreadable> = text.as_str().into_deserializer();
        seed.deserialize(text)
    }
}
