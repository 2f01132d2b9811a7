//! Footprints against lists of every byte: what is told without looking at each is what looking at each tells.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Comb, Dimension, Footprint, Geometry, Overlap, Part, Taken};

/// A datatype as a program would construct it, small enough to write down every byte.
#[derive(Clone, Debug)]
enum Type {
    Number(u32),
    Contiguous(i64, Box<Type>),
    Vector(i64, i64, i64, Box<Type>),
    Indexed(Vec<(i64, i64)>, Box<Type>),
    Struct(Vec<(i64, i64, Type)>),
    Resized(i64, i64, Box<Type>),
    Array(Vec<Dimension>, Box<Type>),
}

/// A datatype written down: each byte, and its bounds with what set them.
#[derive(Clone, Debug, Default)]
struct Map {
    bytes: Vec<i64>,
    bounds: Vec<(i64, i64)>,
    is_marked: bool,
    align: i64,
}

impl Map {
    fn bound(&self) -> (i64, i64) {
        let lower = self.bounds.iter().map(|b| b.0).min().unwrap_or(0);
        (lower, self.bounds.iter().map(|b| b.1).max().unwrap_or(0))
    }

    fn extent(&self) -> i64 {
        self.bound().1 - self.bound().0
    }

    fn put(&mut self, at: i64, count: i64, of: &Map) {
        if of.bytes.is_empty() && !of.is_marked {
            return;
        }
        for n in 0..count {
            let at = at + n * of.extent();
            self.bytes.extend(of.bytes.iter().map(|byte| at + byte));
            let bound = of.bound();
            match (self.is_marked, of.is_marked) {
                (true, false) => {}
                (false, true) => self.bounds = vec![(at + bound.0, at + bound.1)],
                _ => self.bounds.push((at + bound.0, at + bound.1)),
            }
            self.is_marked |= of.is_marked;
            self.align = self.align.max(of.align);
        }
    }
}

impl Type {
    fn map(&self) -> Map {
        let mut map = Map { align: 1, ..Map::default() };
        match self {
            Type::Number(bytes) => {
                let bytes = i64::from(*bytes);
                return Map { bytes: (0..bytes).collect(), bounds: vec![(0, bytes)], is_marked: false, align: bytes };
            }
            Type::Contiguous(count, of) => map.put(0, *count, &of.map()),
            Type::Vector(count, block, stride, of) => (0..*count).for_each(|n| map.put(n * stride, *block, &of.map())),
            Type::Indexed(blocks, of) => blocks.iter().for_each(|(at, count)| map.put(*at, *count, &of.map())),
            Type::Struct(parts) => {
                parts.iter().for_each(|(at, count, of)| map.put(*at, *count, &of.map()));
                if !map.is_marked {
                    let (lower, upper) = map.bound();
                    let over = (upper - lower).rem_euclid(map.align);
                    map.bounds = vec![(lower, if over > 0 { upper + map.align - over } else { upper })];
                }
            }
            Type::Resized(lower, extent, of) => {
                return Map { bounds: vec![(*lower, lower + extent)], is_marked: true, ..of.map() };
            }
            Type::Array(dimensions, of) => {
                let of = of.map();
                let mut places = vec![0];
                let mut stride = of.extent();
                for dimension in dimensions {
                    let rows = dimension.taken.iter().flat_map(|t| (0..t.count).map(move |n| (t.first + n * t.step, t.len)));
                    let taken: Vec<i64> = rows.flat_map(|(first, len)| first..first + len).collect();
                    places = taken.iter().flat_map(|t| places.iter().map(move |place| place + t * stride)).collect();
                    stride *= dimension.size;
                }
                map.bytes = places.iter().flat_map(|place| of.bytes.iter().map(move |byte| place + byte)).collect();
                (map.bounds, map.is_marked, map.align) = (vec![(0, stride)], true, of.align);
            }
        }
        map
    }

    fn geometry(&self) -> Option<Geometry> {
        match self {
            Type::Number(bytes) => Geometry::primitive(*bytes, *bytes),
            Type::Contiguous(count, of) => of.geometry()?.times(*count),
            Type::Vector(count, block, stride, of) => of.geometry()?.vector(*count, *block, *stride),
            Type::Indexed(blocks, of) => {
                let of = of.geometry()?;
                Geometry::of(&blocks.iter().map(|(at, count)| Part { at: *at, count: *count, of: &of }).collect::<Vec<_>>())
            }
            Type::Struct(parts) => {
                let of: Vec<Geometry> = parts.iter().map(|part| part.2.geometry()).collect::<Option<_>>()?;
                let parts: Vec<Part> =
                    parts.iter().zip(&of).map(|((at, count, _), of)| Part { at: *at, count: *count, of }).collect();
                Geometry::of_struct(&parts)
            }
            Type::Resized(lower, extent, of) => of.geometry()?.resized(*lower, *extent),
            Type::Array(dimensions, of) => of.geometry()?.array(dimensions),
        }
    }
}

fn dimension() -> impl Strategy<Value = Dimension> {
    (1i64..4, 1i64..3, 0i64..3, 0i64..3, 0i64..3).prop_map(|(len, count, first, gap, after)| {
        let taken = Taken { first, len, count, step: len + gap };
        Dimension { size: first + count * (len + gap) + after, taken: vec![taken] }
    })
}

fn types() -> impl Strategy<Value = Type> {
    let number = prop::sample::select(vec![1u32, 2, 4, 8]).prop_map(Type::Number);
    number.prop_recursive(3, 12, 3, |inner| {
        let of = inner.clone().prop_map(Box::new);
        let block = (-24i64..48, 0i64..4);
        prop_oneof![
            (0i64..5, of.clone()).prop_map(|(n, of)| Type::Contiguous(n, of)),
            (0i64..5, 0i64..4, -40i64..60, of.clone()).prop_map(|(n, b, s, of)| Type::Vector(n, b, s, of)),
            (prop::collection::vec(block, 0..4), of.clone()).prop_map(|(list, of)| Type::Indexed(list, of)),
            prop::collection::vec((-16i64..40, 0i64..3, inner), 0..4).prop_map(Type::Struct),
            (-8i64..8, -20i64..64, of.clone()).prop_map(|(l, e, of)| Type::Resized(l, e, of)),
            (prop::collection::vec(dimension(), 1..3), of).prop_map(|(list, of)| Type::Array(list, of)),
        ]
    })
}

fn comb() -> impl Strategy<Value = Comb> {
    let repeats = prop::collection::vec((1i64..7, -50i64..90), 0..4);
    (-100i64..100, 1i64..9, repeats).prop_map(|(at, bytes, repeats)| Comb {
        at,
        bytes,
        repeats: repeats.into_iter().map(|(count, stride)| super::Repeat { count, stride }).collect(),
    })
}

fn bytes(combs: &[Comb]) -> BTreeSet<i64> {
    let mut all = BTreeSet::new();
    for comb in combs {
        let mut starts = vec![comb.at];
        for repeat in &comb.repeats {
            starts = starts.iter().flat_map(|start| (0..repeat.count).map(move |n| start + n * repeat.stride)).collect();
        }
        all.extend(starts.iter().flat_map(|start| *start..start + comb.bytes));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    /// A footprint has the bytes that the datatype has, however it was put together.
    #[test]
    fn a_footprint_is_every_byte(datatype in types(), count in 0i64..4, at in -50i64..50) {
        let map = datatype.map();
        // Several of what libraries round differently are not followed.
        let geometry = datatype.geometry();
        if let Some((geometry, footprint)) = geometry.and_then(|g| Some((g.clone(), g.footprint(at, count)?))) {
            let expected: BTreeSet<i64> =
                (0..count).flat_map(|n| map.bytes.iter().map(move |b| (n, *b))).map(|(n, b)| at + b + n * map.extent()).collect();
            prop_assert_eq!(bytes(footprint.combs()), expected);
            if count > 1 {
                prop_assert_eq!((geometry.lower(), geometry.extent()), (map.bound().0, Some(map.extent())));
            }
        }
    }

    /// Of elements without end, the bytes from one to another one are those that counting finds.
    #[test]
    fn a_stretch_is_counted_byte_by_byte(datatype in types(), at in -50i64..50, from in 0i64..60, len in 0i64..60) {
        let map = datatype.map();
        let is_upwards = map.bytes.windows(2).all(|pair| pair[0] < pair[1]);
        let stretch = datatype.geometry().and_then(|geometry| geometry.stretch(at, from, from + len));
        if let Some(stretch) = stretch.filter(|_| is_upwards && !map.bytes.is_empty()) {
            let size = i64::try_from(map.bytes.len()).unwrap();
            let place = |n: i64| at + n / size * map.extent() + map.bytes[usize::try_from(n % size).unwrap()];
            prop_assert_eq!(bytes(stretch.combs()), (from..from + len).map(place).collect::<BTreeSet<i64>>());
        }
    }

    /// Two sets overlap if they have a byte in common.
    #[test]
    fn sets_overlap_where_they_have_a_byte_in_common(
        one in prop::collection::vec(comb(), 1..3),
        other in prop::collection::vec(comb(), 1..3),
    ) {
        let shared = bytes(&one).intersection(&bytes(&other)).next().is_some();
        let (a, b) = (Footprint::of(one).unwrap(), Footprint::of(other).unwrap());
        let expected = if shared { Overlap::Yes } else { Overlap::No };
        prop_assert_eq!(a.overlaps(&b), expected);
        prop_assert_eq!(b.overlaps(&a), expected);
    }
}

#[test]
fn columns_of_a_large_matrix_are_told_apart_at_once() {
    let double = Geometry::primitive(8, 8).unwrap();
    let n = 1 << 20;
    let column = double.vector(n, 1, 8 * n).unwrap();
    let at = |number: i64| column.footprint(8 * number, 1).unwrap();
    assert_eq!(at(0).combs().len(), 1);
    assert_eq!(at(0).overlaps(&at(1)), Overlap::No);
    assert_eq!(at(7).overlaps(&at(7)), Overlap::Yes);
    let row = double.footprint(8 * n * 17, n).unwrap();
    assert_eq!(row.overlaps(&at(5)), Overlap::Yes);
    let skewed = double.vector(n, 1, 8 * (n + 1)).unwrap().footprint(8, 1).unwrap();
    assert_eq!(skewed.overlaps(&at(0)), Overlap::No, "a diagonal begins beside the first column and moves away");
    assert_eq!(skewed.overlaps(&at(9)), Overlap::Yes);
}

#[test]
fn what_is_indexed_at_equal_distances_is_one_comb() {
    let int = Geometry::primitive(4, 4).unwrap();
    let parts: Vec<Part> = (0..1000).map(|n| Part { at: 12 * n, count: 1, of: &int }).collect();
    let footprint = Geometry::of(&parts).unwrap().footprint(0, 1).unwrap();
    assert_eq!(footprint.combs().len(), 1);
    assert_eq!(footprint.bounds(), Some((0, 11_992)));
}

#[test]
fn what_libraries_round_differently_is_not_followed() {
    let int = Geometry::primitive(4, 4).unwrap();
    let odd = int.vector(2, 1, 5).unwrap();
    assert!(odd.footprint(0, 1).is_some());
    assert_eq!(odd.footprint(0, 2), None);
    let pair = Geometry::of_struct(&[
        Part { at: 0, count: 1, of: &Geometry::primitive(8, 8).unwrap() },
        Part { at: 8, count: 1, of: &int },
    ]);
    assert_eq!(pair.unwrap().extent(), Some(16));
}

#[test]
fn a_part_of_a_column_is_a_few_combs() {
    let int = Geometry::primitive(4, 4).unwrap();
    let column = int.vector(1 << 20, 2, 4 << 10).unwrap();
    let stretch = column.stretch(100, 6, (8 << 10) + 3).unwrap();
    assert_eq!(stretch.bounds(), Some((106, 100 + (4 << 20) + 3)));
    assert_eq!(stretch.combs().len(), 3);
    assert_eq!(stretch.len(), Some((8 << 10) - 3));
}
