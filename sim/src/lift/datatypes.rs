//! The datatypes that a process makes: their size and what they are made of, from the constructors' arguments.
//!
//! Where the elements lie in memory does not matter here, so that a vector is as many elements, and a resized type is itself.

use rustc_hash::FxHashMap;
use traces::mpi;
use traces::trace::is_made;

use super::arguments::Arguments;
use crate::layout::{Content, LayoutId, Layouts};

/// The datatypes of a process by number.
#[derive(Debug, Default)]
pub(crate) struct Datatypes(FxHashMap<i64, Content>);

const UNKNOWN: Content = Content { bytes: None, layout: LayoutId::UNKNOWN };

impl Datatypes {
    /// So many elements of a datatype.
    pub(crate) fn content(&self, count: Option<i64>, datatype: Option<i64>, layouts: &Layouts) -> Content {
        let element = match datatype {
            _ if count == Some(0) => return Content::EMPTY,
            Some(number) if is_made(number) => self.0.get(&number).copied().unwrap_or(UNKNOWN),
            Some(number) => layouts.predefined(number).unwrap_or(UNKNOWN),
            None => UNKNOWN,
        };
        count.map_or(UNKNOWN, |count| element.times(count))
    }

    /// Takes note of the datatype that a call makes, if it makes one.
    pub(crate) fn define(&mut self, a: &Arguments, layouts: &mut Layouts) {
        let Some(number) = a.result("newtype").int().filter(|n| is_made(*n)) else { return };
        let content = self.made(a, layouts).unwrap_or(UNKNOWN);
        self.0.insert(number, content);
    }

    fn made(&self, a: &Arguments, layouts: &mut Layouts) -> Option<Content> {
        let int = |name| a.call.int(name);
        let blocks = || a.call.ints("array_of_blocklengths");
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
                Some(old.times(blocks().iter().try_fold(0i64, |sum, n| sum.checked_add(*n))?))
            }
            mpi::TYPE_CREATE_SUBARRAY => {
                Some(old.times(a.call.ints("array_of_subsizes").iter().try_fold(1i64, |size, n| size.checked_mul(*n))?))
            }
            mpi::TYPE_STRUCT | mpi::TYPE_CREATE_STRUCT => {
                let types = a.call.ints("array_of_types");
                let parts: Vec<Content> =
                    blocks().iter().zip(types).map(|(n, t)| self.content(Some(*n), Some(*t), layouts)).collect();
                Some(layouts.concatenate(&parts))
            }
            _ => None,
        }
    }
}
