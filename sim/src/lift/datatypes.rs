//! The datatypes that a process makes: what they are made of, and where it lies in memory, from the constructors' arguments.
//!
//! What they are made of goes by the sequence of numbers, so that a vector is as many elements, and a resized type is itself. Where the
//! numbers lie is another matter, see `footprint`; and is worked out once a datatype.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use traces::constant::{self, ORDER_C};
use traces::function::Kind;
use traces::mpi;
use traces::trace::is_made;

use super::arguments::Arguments;
use super::arrays;
use crate::footprint::{Footprint, Geometry, Part};
use crate::layout::{Content, LayoutId, Layouts};

/// A datatype.
#[derive(Clone, Debug)]
struct Datatype {
    content: Content,
    /// None if it is not known.
    geometry: Option<Arc<Geometry>>,
}

/// The datatypes of a process by number.
#[derive(Debug, Default)]
pub(crate) struct Datatypes(FxHashMap<i64, Datatype>);

const UNKNOWN: Content = Content { bytes: None, layout: LayoutId::UNKNOWN };

impl Datatypes {
    /// So many elements of a datatype.
    pub(crate) fn content(&self, count: Option<i64>, datatype: Option<i64>, layouts: &Layouts) -> Content {
        let element = match datatype {
            _ if count == Some(0) => return Content::EMPTY,
            Some(number) if is_made(number) => self.0.get(&number).map_or(UNKNOWN, |known| known.content),
            Some(number) => layouts.predefined(number).unwrap_or(UNKNOWN),
            None => UNKNOWN,
        };
        count.map_or(UNKNOWN, |count| element.times(count))
    }

    /// One element of a datatype in memory.
    pub(crate) fn geometry(&self, datatype: i64) -> Option<Arc<Geometry>> {
        if is_made(datatype) { self.0.get(&datatype)?.geometry.clone() } else { predefined(datatype).map(Arc::new) }
    }

    /// The bytes of so many elements, the first of which is at an address.
    pub(crate) fn footprint(&self, at: i64, count: i64, datatype: i64) -> Option<Footprint> {
        if count == 0 { Some(Footprint::default()) } else { self.geometry(datatype)?.footprint(at, count) }
    }

    /// Takes note of the datatype that a call makes, if it makes one.
    pub(crate) fn define(&mut self, a: &Arguments, layouts: &mut Layouts) {
        let made = ["newtype", "pair_type"].iter().find_map(|name| a.result(name).int());
        let Some(number) = made.filter(|n| is_made(*n)) else { return };
        let content = self.made(a, layouts).unwrap_or(UNKNOWN);
        let geometry = self.shaped(a).map(Arc::new);
        self.0.insert(number, Datatype { content, geometry });
    }

    fn made(&self, a: &Arguments, layouts: &mut Layouts) -> Option<Content> {
        let int = |name| a.call.int(name);
        let blocks = || list(a, "array_of_blocklengths", "count");
        let product = |list: &[i64]| list.iter().try_fold(1i64, |size, n| size.checked_mul(*n));
        let old = self.content(Some(1), int("oldtype"), layouts);
        match a.function() {
            mpi::TYPE_DUP | mpi::TYPE_CREATE_RESIZED => Some(old),
            mpi::TYPE_CONTIGUOUS => Some(old.times(int("count")?)),
            mpi::TYPE_VECTOR
            | mpi::TYPE_HVECTOR
            | mpi::TYPE_CREATE_HVECTOR
            | mpi::TYPE_CREATE_INDEXED_BLOCK
            | mpi::TYPE_CREATE_HINDEXED_BLOCK => Some(old.times(int("count")?.checked_mul(int("blocklength")?)?)),
            mpi::TYPE_INDEXED | mpi::TYPE_HINDEXED | mpi::TYPE_CREATE_HINDEXED => {
                Some(old.times(blocks()?.iter().try_fold(0i64, |sum, n| sum.checked_add(*n))?))
            }
            mpi::TYPE_CREATE_SUBARRAY => Some(old.times(product(list(a, "array_of_subsizes", "ndims")?)?)),
            mpi::TYPE_CREATE_DARRAY => {
                Some(old.times(product(&arrays::darray(a)?.iter().map(arrays::number).collect::<Vec<_>>())?))
            }
            mpi::TYPE_STRUCT | mpi::TYPE_CREATE_STRUCT => {
                let types = list(a, "array_of_types", "count")?;
                let parts: Vec<Content> =
                    blocks()?.iter().zip(types).map(|(n, t)| self.content(Some(*n), Some(*t), layouts)).collect();
                Some(layouts.concatenate(&parts))
            }
            mpi::TYPE_GET_VALUE_INDEX => {
                let parts = ["value_type", "index_type"].map(|name| self.content(Some(1), int(name), layouts));
                Some(layouts.concatenate(&parts))
            }
            _ => layouts.predefined(of_range(a)?),
        }
    }

    /// Where the datatype that a call makes lies in memory.
    fn shaped(&self, a: &Arguments) -> Option<Geometry> {
        let int = |name| a.call.int(name);
        let old = || self.geometry(int("oldtype")?);
        match a.function() {
            mpi::TYPE_DUP => Some((*old()?).clone()),
            mpi::TYPE_CREATE_RESIZED => old()?.resized(int("lb")?, int("extent")?),
            mpi::TYPE_CONTIGUOUS => old()?.times(int("count")?),
            mpi::TYPE_VECTOR => {
                let (old, stride) = (old()?, int("stride")?);
                old.vector(int("count")?, int("blocklength")?, stride.checked_mul(old.extent()?)?)
            }
            mpi::TYPE_HVECTOR | mpi::TYPE_CREATE_HVECTOR => old()?.vector(int("count")?, int("blocklength")?, int("stride")?),
            mpi::TYPE_INDEXED
            | mpi::TYPE_HINDEXED
            | mpi::TYPE_CREATE_HINDEXED
            | mpi::TYPE_CREATE_INDEXED_BLOCK
            | mpi::TYPE_CREATE_HINDEXED_BLOCK => indexed(a, &*old()?),
            mpi::TYPE_CREATE_SUBARRAY => old()?.array(&in_memory(a, arrays::subarray(a)?)),
            mpi::TYPE_CREATE_DARRAY => old()?.array(&in_memory(a, arrays::darray(a)?)),
            mpi::TYPE_STRUCT | mpi::TYPE_CREATE_STRUCT => {
                let types = list(a, "array_of_types", "count")?;
                let types: Vec<Arc<Geometry>> = types.iter().map(|number| self.geometry(*number)).collect::<Option<_>>()?;
                let blocks = list(a, "array_of_blocklengths", "count")?;
                let places = list(a, "array_of_displacements", "count")?;
                let parts = blocks.iter().zip(places).zip(&types);
                Geometry::of_struct(&parts.map(|((count, at), of)| Part { at: *at, count: *count, of }).collect::<Vec<_>>())
            }
            mpi::TYPE_GET_VALUE_INDEX => pair(&*self.geometry(int("value_type")?)?, &*self.geometry(int("index_type")?)?),
            _ => predefined(of_range(a)?),
        }
    }
}

/// An array of a call that has as many elements as another argument says; None if it was too long to be kept.
fn list<'a>(a: &Arguments<'a>, name: &str, count: &str) -> Option<&'a [i64]> {
    let list = a.call.ints(name);
    (i64::try_from(list.len()).ok() == a.call.int(count)).then_some(list)
}

/// The dimensions as they lie in memory: the one whose elements lie side by side first.
fn in_memory(a: &Arguments, mut dimensions: Vec<crate::footprint::Dimension>) -> Vec<crate::footprint::Dimension> {
    if a.call.int("order") == Some(ORDER_C) {
        dimensions.reverse();
    }
    dimensions
}

fn indexed(a: &Arguments, old: &Geometry) -> Option<Geometry> {
    let places = list(a, "array_of_displacements", "count")?;
    let unit = match a.function() {
        mpi::TYPE_INDEXED | mpi::TYPE_CREATE_INDEXED_BLOCK => old.extent()?,
        _ => 1,
    };
    let blocks = match a.call.int("blocklength") {
        Some(same) => vec![same; places.len()],
        None => list(a, "array_of_blocklengths", "count")?.to_vec(),
    };
    let part = |(at, count): (&i64, &i64)| Some(Part { at: at.checked_mul(unit)?, count: *count, of: old });
    Geometry::of(&places.iter().zip(&blocks).map(part).collect::<Option<Vec<_>>>()?)
}

/// The predefined type that MPI_Type_create_f90_real and its like stand for, by the range and the precision that were asked for.
fn of_range(a: &Arguments) -> Option<i64> {
    let (p, r) = (a.call.int("p"), a.call.int("r"));
    let is_single = p.is_none_or(|p| p <= 6) && r.is_none_or(|r| r <= 37);
    let is_double = p.is_none_or(|p| p <= 15) && r.is_none_or(|r| r <= 307);
    let name = match a.function() {
        mpi::TYPE_CREATE_F90_INTEGER => match r? {
            ..=2 => "MPI_INT8_T",
            3..=4 => "MPI_INT16_T",
            5..=9 => "MPI_INT32_T",
            10..=18 => "MPI_INT64_T",
            _ => return None,
        },
        mpi::TYPE_CREATE_F90_REAL if is_single => "MPI_FLOAT",
        mpi::TYPE_CREATE_F90_REAL if is_double => "MPI_DOUBLE",
        mpi::TYPE_CREATE_F90_COMPLEX if is_single => "MPI_C_FLOAT_COMPLEX",
        mpi::TYPE_CREATE_F90_COMPLEX if is_double => "MPI_C_DOUBLE_COMPLEX",
        _ => return None,
    };
    constant::all().iter().find(|row| row.kind == Kind::Type && row.name == name).map(|row| row.value)
}

/// One element of a predefined datatype.
fn predefined(datatype: i64) -> Option<Geometry> {
    let row = constant::find(Kind::Type, datatype)?;
    let number = |bytes| Geometry::primitive(bytes, bytes);
    match row.name {
        "MPI_FLOAT_INT" => pair(&number(4)?, &number(4)?),
        "MPI_DOUBLE_INT" | "MPI_LONG_INT" => pair(&number(8)?, &number(4)?),
        "MPI_SHORT_INT" => pair(&number(2)?, &number(4)?),
        "MPI_LONG_DOUBLE_INT" => pair(&number(16)?, &number(4)?),
        "MPI_2INT" | "MPI_2INTEGER" | "MPI_2REAL" | "MPI_2DOUBLE_PRECISION" => Geometry::primitive(row.bytes, row.bytes / 2),
        name if name.contains("COMPLEX") => Geometry::primitive(row.bytes, row.bytes / 2),
        _ => number(row.bytes),
    }
}

/// A value and an index as a C struct has them.
fn pair(value: &Geometry, index: &Geometry) -> Option<Geometry> {
    let (end, align) = (value.extent()?, index.extent()?);
    let at = end.checked_add(align - 1)?.checked_div_euclid(align)?.checked_mul(align)?;
    Geometry::of_struct(&[Part { at: 0, count: 1, of: value }, Part { at, count: 1, of: index }])
}
