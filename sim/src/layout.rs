//! What messages are made of: runs of basic types, never expanded, so that a million integers are as cheap as one.
//!
//! Types are told apart by how they lie in memory: an `int` and a 32-bit `unsigned` agree here, an `int` and a `float` do not. That is
//! laxer than the standard, on purpose: what is reported garbles data.

use rustc_hash::FxHashMap;
use traces::constant;
use traces::function::Kind;

/// A kind of number as it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// Untyped bytes: MPI_BYTE, MPI_PACKED. They agree with everything.
    Bytes,
    /// An integer, a character or a truth value, of so many bytes.
    Integer(u8),
    /// A floating-point number of so many bytes.
    Float(u8),
}

impl Primitive {
    fn bytes(self) -> u64 {
        match self {
            Primitive::Bytes => 1,
            Primitive::Integer(bytes) | Primitive::Float(bytes) => u64::from(bytes),
        }
    }

    /// As a person would call it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Primitive::Bytes => "untyped bytes".into(),
            Primitive::Integer(bytes) => format!("{bytes}-byte integers"),
            Primitive::Float(bytes) => format!("{bytes}-byte floating-point numbers"),
        }
    }
}

/// So many of one primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    primitive: Primitive,
    count: u64,
}

/// A sequence of runs that repeats; what is made of one primitive only is a single run of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LayoutId(u32);

impl LayoutId {
    /// It is not known what it is made of: agrees with everything.
    pub const UNKNOWN: LayoutId = LayoutId(0);
}

/// What a message carries, or what a receive has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Content {
    /// Its bytes; None if they are not known.
    pub bytes: Option<u64>,
    /// What it is made of, again and again up to its end.
    pub layout: LayoutId,
}

impl Content {
    /// Nothing.
    pub const EMPTY: Content = Content { bytes: Some(0), layout: LayoutId::UNKNOWN };

    /// So many of it, one after the other.
    #[must_use]
    pub fn times(self, count: i64) -> Content {
        let count = u64::try_from(count).ok();
        Content { bytes: self.bytes.zip(count).and_then(|(bytes, n)| bytes.checked_mul(n)), ..self }
    }
}

/// More runs than this are not followed.
const RUNS_MAX: usize = 4096;
/// Comparing two layouts gives up after so many steps, and takes them to agree.
const STEPS_MAX: usize = 1 << 16;

/// Every distinct layout.
#[derive(Debug)]
pub struct Layouts {
    list: Vec<Box<[Run]>>,
    numbers: FxHashMap<Box<[Run]>, LayoutId>,
    predefined: FxHashMap<i64, Content>,
}

impl Default for Layouts {
    fn default() -> Layouts {
        let mut layouts = Layouts { list: vec![Box::default()], numbers: FxHashMap::default(), predefined: FxHashMap::default() };
        for row in constant::all().iter().filter(|row| row.kind == Kind::Type) {
            let content = layouts.sequence(&primitives(row.name, row.bytes));
            layouts.predefined.insert(row.value, content);
        }
        layouts
    }
}

impl Layouts {
    /// One element of a predefined datatype.
    #[must_use]
    pub fn predefined(&self, datatype: i64) -> Option<Content> {
        self.predefined.get(&datatype).copied()
    }

    /// Runs of primitives, one after the other.
    fn sequence(&mut self, runs: &[Run]) -> Content {
        let bytes = runs.iter().try_fold(0u64, |sum, r| sum.checked_add(r.primitive.bytes().checked_mul(r.count)?));
        let mut merged: Vec<Run> = Vec::new();
        for run in runs.iter().filter(|r| r.count > 0) {
            match merged.last_mut() {
                Some(last) if last.primitive == run.primitive => last.count = last.count.saturating_add(run.count),
                _ => merged.push(*run),
            }
        }
        if let [only] = &mut merged[..] {
            only.count = 1;
        }
        Content { bytes, layout: self.number(merged) }
    }

    /// Contents, one after the other, as a struct has them.
    pub fn concatenate(&mut self, parts: &[Content]) -> Content {
        let bytes = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(part.bytes?));
        let mut runs = Vec::new();
        for part in parts.iter().filter(|part| part.bytes != Some(0)) {
            let unit = &self.list[part.layout.0 as usize];
            let unit_bytes: u64 = unit.iter().map(|r| r.primitive.bytes() * r.count).sum();
            let (Some(part_bytes), false) = (part.bytes, unit.is_empty()) else {
                return Content { bytes, layout: LayoutId::UNKNOWN };
            };
            match unit[..] {
                [only] => runs.push(Run { count: part_bytes / only.primitive.bytes(), ..only }),
                _ => {
                    let repeats = usize::try_from(part_bytes / unit_bytes).unwrap_or(usize::MAX);
                    if repeats.saturating_mul(unit.len()) > RUNS_MAX {
                        return Content { bytes, layout: LayoutId::UNKNOWN };
                    }
                    runs.extend((0..repeats).flat_map(|_| unit.iter().copied()));
                }
            }
            if runs.len() > RUNS_MAX {
                return Content { bytes, layout: LayoutId::UNKNOWN };
            }
        }
        Content { bytes, layout: self.sequence(&runs).layout }
    }

    fn number(&mut self, runs: Vec<Run>) -> LayoutId {
        if runs.is_empty() {
            return LayoutId::UNKNOWN;
        }
        let next = LayoutId(u32::try_from(self.list.len()).expect("fewer than 2^32 distinct datatypes"));
        let list = &mut self.list;
        *self.numbers.entry(runs.into_boxed_slice()).or_insert_with_key(|runs| {
            list.push(runs.clone());
            next
        })
    }

    /// The first place where two contents disagree, up to the end of the shorter one: what stands there in each.
    #[must_use]
    pub fn difference(&self, a: Content, b: Content) -> Option<(Primitive, Primitive)> {
        if a.layout == b.layout || a.layout == LayoutId::UNKNOWN || b.layout == LayoutId::UNKNOWN {
            return None;
        }
        let mut bytes_left = a.bytes?.min(b.bytes?);
        let (mut left, mut right) = (self.cursor(a.layout), self.cursor(b.layout));
        for _ in 0..STEPS_MAX {
            let (p, q) = (left.primitive(), right.primitive());
            if bytes_left < p.bytes().min(q.bytes()) {
                return None;
            }
            if p != q && p != Primitive::Bytes && q != Primitive::Bytes {
                return Some((p, q));
            }
            let step = left.bytes_left.min(right.bytes_left).min(bytes_left);
            left.advance(step);
            right.advance(step);
            bytes_left -= step;
            if bytes_left == 0 || (left.is_at_start() && right.is_at_start()) {
                return None;
            }
        }
        None
    }

    fn cursor(&self, layout: LayoutId) -> Cursor<'_> {
        Cursor::new(&self.list[layout.0 as usize])
    }
}

/// A place in a layout that repeats.
struct Cursor<'a> {
    runs: &'a [Run],
    at: usize,
    bytes_left: u64,
}

impl<'a> Cursor<'a> {
    fn new(runs: &'a [Run]) -> Cursor<'a> {
        let mut cursor = Cursor { runs, at: 0, bytes_left: 0 };
        cursor.enter(0);
        cursor
    }

    fn enter(&mut self, at: usize) {
        self.at = at % self.runs.len();
        self.bytes_left = self.runs[self.at].primitive.bytes() * self.runs[self.at].count;
    }

    fn primitive(&self) -> Primitive {
        self.runs[self.at].primitive
    }

    fn advance(&mut self, bytes: u64) {
        self.bytes_left -= bytes;
        if self.bytes_left == 0 {
            self.enter(self.at + 1);
        }
    }

    /// Whether a repetition is just about to begin.
    fn is_at_start(&self) -> bool {
        self.at == 0 && self.bytes_left == self.runs[0].primitive.bytes() * self.runs[0].count
    }
}

/// What a predefined datatype is made of.
fn primitives(name: &str, bytes: u32) -> Vec<Run> {
    let bytes = u8::try_from(bytes).unwrap_or(0);
    let float = |size: u8, count| Run { primitive: Primitive::Float(size), count };
    let integer = |size: u8, count| Run { primitive: Primitive::Integer(size), count };
    match name {
        "MPI_DATATYPE_NULL" => Vec::new(),
        "MPI_BYTE" | "MPI_PACKED" => vec![Run { primitive: Primitive::Bytes, count: 1 }],
        "MPI_FLOAT_INT" => vec![float(4, 1), integer(4, 1)],
        "MPI_DOUBLE_INT" => vec![float(8, 1), integer(4, 1)],
        "MPI_LONG_INT" => vec![integer(8, 1), integer(4, 1)],
        "MPI_SHORT_INT" => vec![integer(2, 1), integer(4, 1)],
        "MPI_LONG_DOUBLE_INT" => vec![float(16, 1), integer(4, 1)],
        "MPI_2REAL" | "MPI_2DOUBLE_PRECISION" => vec![float(bytes / 2, 2)],
        "MPI_2INT" | "MPI_2INTEGER" => vec![integer(bytes / 2, 2)],
        _ if name.contains("COMPLEX") => vec![float(bytes / 2, 2)],
        _ if ["FLOAT", "DOUBLE", "REAL"].iter().any(|word| name.contains(word)) => vec![float(bytes, 1)],
        _ => vec![integer(bytes, 1)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use constant::BYTE;

    const INT: i64 = 0x209;
    const FLOAT: i64 = 0x210;
    const DOUBLE: i64 = 0x214;
    const DOUBLE_INT: i64 = 0x229;
    const UNSIGNED: i64 = 0x20d;

    fn many(layouts: &Layouts, datatype: i64, count: i64) -> Content {
        layouts.predefined(datatype).unwrap().times(count)
    }

    #[test]
    fn types_agree_by_how_they_lie_in_memory() {
        let layouts = Layouts::default();
        let [int, unsigned, float, byte] = [INT, UNSIGNED, FLOAT, BYTE].map(|t| many(&layouts, t, 4));
        assert_eq!(layouts.difference(int, unsigned), None);
        assert_eq!(layouts.difference(int, byte), None);
        assert_eq!(layouts.difference(int, float), Some((Primitive::Integer(4), Primitive::Float(4))));
        let nothing = many(&layouts, FLOAT, 0);
        assert_eq!(layouts.difference(int, nothing), None, "an empty message has no types");
    }

    #[test]
    fn a_struct_agrees_with_what_it_is_made_of() {
        let mut layouts = Layouts::default();
        let parts = [many(&layouts, DOUBLE, 1), many(&layouts, INT, 1)];
        let pair = layouts.concatenate(&parts);
        assert_eq!(pair.bytes, Some(12));
        let predefined = many(&layouts, DOUBLE_INT, 1);
        assert_eq!(layouts.difference(pair, predefined), None);
        let nested = layouts.concatenate(&[pair.times(2), pair]);
        assert_eq!(layouts.difference(nested.times(1000), pair.times(1_000_000)), None);
        let doubles = many(&layouts, DOUBLE, 3);
        assert_eq!(layouts.difference(pair.times(2), doubles), Some((Primitive::Integer(4), Primitive::Float(8))));
    }

    #[test]
    fn a_column_of_a_matrix_is_as_many_doubles() {
        let layouts = Layouts::default();
        let column = many(&layouts, DOUBLE, 1).times(100);
        assert_eq!(layouts.difference(column, many(&Layouts::default(), DOUBLE, 100)), None);
        assert_eq!(column.bytes, Some(800));
    }
}
