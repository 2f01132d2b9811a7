//! One element of a datatype in memory: its bytes, and the bounds that say where the next one begins.
//!
//! Bounds follow the standard's rules of lower and upper bounds with and without markers (section 5.1.6). Where libraries round an extent
//! in different ways, or where a marker of one part speaks for others, it is not certain: then one element is known, and several are not.

use super::Footprint;

/// One element of a datatype.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    bytes: Footprint,
    lower: i64,
    upper: i64,
    /// Whether its bounds were set by MPI_Type_create_resized or the like, here or in a part.
    is_marked: bool,
    /// Whether every library takes these bounds.
    is_certain: bool,
    align: i64,
}

/// Some elements of a datatype as a part of another one.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Where the first one is.
    pub at: i64,
    /// How many, one extent after the other.
    pub count: i64,
    /// Of what.
    pub of: &'a Geometry,
}

/// One direction of an array, and what is taken of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its elements.
    pub size: i64,
    /// Those that are taken.
    pub taken: Vec<Taken>,
}

/// Rows of elements at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The first element.
    pub first: i64,
    /// The elements of each row.
    pub len: i64,
    /// How many rows.
    pub count: i64,
    /// From one row to the next.
    pub step: i64,
}

impl Geometry {
    /// A number of so many bytes.
    #[must_use]
    pub fn primitive(bytes: u32, align: u32) -> Option<Geometry> {
        let bytes_of = Footprint::block(0, u64::from(bytes))?;
        let (upper, align) = (i64::from(bytes), i64::from(align.max(1)));
        Some(Geometry { bytes: bytes_of, lower: 0, upper, is_marked: false, is_certain: true, align })
    }

    /// From one element to the next.
    #[must_use]
    pub fn extent(&self) -> Option<i64> {
        self.upper.checked_sub(self.lower)
    }

    /// The same, if every library takes it for that.
    #[must_use]
    pub fn certain_extent(&self) -> Option<i64> {
        self.extent().filter(|_| self.is_certain)
    }

    /// Its lower bound.
    #[cfg(test)]
    pub fn lower(&self) -> i64 {
        self.lower
    }

    /// The bytes of so many elements, the first of which is at an address.
    #[must_use]
    pub fn footprint(&self, at: i64, count: i64) -> Option<Footprint> {
        if count > 1 && !self.is_certain {
            return None;
        }
        self.bytes.repeated(count, self.extent()?)?.moved(at)
    }

    /// Where the bytes from the `from`th to before the `to`th lie, of elements that follow each other without end, the first of which is at an
    /// address: as a file is filled through a view. A type of which the bytes do not lie upwards is no type of a view.
    #[must_use]
    pub fn stretch(&self, at: i64, from: i64, to: i64) -> Option<Footprint> {
        let element = self.bytes.len()?;
        if from >= to || element == 0 {
            return Some(Footprint::default());
        }
        let place = |n: i64| at.checked_add(n.checked_mul(self.extent()?)?);
        let (first, last) = (from / element, (to - 1) / element);
        if first == last {
            return self.bytes.part(from - first * element, to - first * element)?.moved(place(first)?);
        }
        if !self.is_certain {
            return None;
        }
        let whole = (first + i64::from(from % element > 0), to / element);
        let mut parts = vec![self.footprint(place(whole.0)?, whole.1 - whole.0)?];
        if from % element > 0 {
            parts.push(self.bytes.part(from % element, element)?.moved(place(first)?)?);
        }
        if to % element > 0 {
            parts.push(self.bytes.part(0, to % element)?.moved(place(last)?)?);
        }
        Footprint::union(parts)
    }

    /// So many, one after the other.
    #[must_use]
    pub fn times(&self, count: i64) -> Option<Geometry> {
        Geometry::of(&[Part { at: 0, count, of: self }])
    }

    /// Blocks of it at equal distances.
    #[must_use]
    pub fn vector(&self, count: i64, block: i64, stride: i64) -> Option<Geometry> {
        let row = Geometry::of(&[Part { at: 0, count: block, of: self }])?;
        if row.is_nothing() || count <= 0 {
            return Geometry::of(&[]);
        }
        let reach = (count - 1).checked_mul(stride)?;
        let (lower, upper) = (row.lower.checked_add(reach.min(0))?, row.upper.checked_add(reach.max(0))?);
        let bytes = row.bytes.repeated(count, stride)?;
        Some(Geometry { bytes, lower, upper, ..row }.checked())
    }

    /// Parts, wherever they are.
    #[must_use]
    pub fn of(parts: &[Part]) -> Option<Geometry> {
        let parts: Vec<&Part> = parts.iter().filter(|part| part.count > 0 && !part.of.is_nothing()).collect();
        let mut bytes = Vec::with_capacity(parts.len());
        let mut bounds = Vec::with_capacity(parts.len());
        let (mut align, mut is_certain) = (1, true);
        for part in &parts {
            bytes.push(part.of.footprint(part.at, part.count)?);
            let reach = (part.count - 1).checked_mul(part.of.extent()?)?;
            let lower = part.at.checked_add(part.of.lower)?.checked_add(reach.min(0))?;
            let upper = part.at.checked_add(part.of.upper)?.checked_add(reach.max(0))?;
            bounds.push((lower, upper, part.of.is_marked));
            align = align.max(part.of.align);
            is_certain &= part.of.is_certain;
        }
        let around = |wanted: &dyn Fn(bool) -> bool| {
            let list = bounds.iter().filter(|(.., marked)| wanted(*marked));
            list.fold(None, |all: Option<(i64, i64)>, (low, high, _)| {
                Some(all.map_or((*low, *high), |(l, h)| (l.min(*low), h.max(*high))))
            })
        };
        let is_marked = bounds.iter().any(|(.., marked)| *marked);
        let all = around(&|_| true).unwrap_or((0, 0));
        // Markers speak for parts that have none, in the standard and in some libraries.
        let (lower, upper) = if is_marked { around(&|marked| marked).unwrap_or(all) } else { all };
        is_certain &= (lower, upper) == all;
        let geometry = Geometry { bytes: Footprint::union(bytes)?, lower, upper, is_marked, is_certain, align };
        Some(geometry.checked())
    }

    /// The same in MPI_Type_create_struct, which rounds the extent as a compiler does.
    #[must_use]
    pub fn of_struct(parts: &[Part]) -> Option<Geometry> {
        let is_certain = parts.iter().filter(|part| part.count > 0).all(|part| part.of.is_certain);
        let mut geometry = Geometry::of(parts)?;
        let over = geometry.extent()?.rem_euclid(geometry.align);
        if !geometry.is_marked && over > 0 {
            geometry.upper = geometry.upper.checked_add(geometry.align - over)?;
            geometry.is_certain = is_certain;
        }
        Some(geometry)
    }

    /// The same with other bounds.
    #[must_use]
    pub fn resized(&self, lower: i64, extent: i64) -> Option<Geometry> {
        let upper = lower.checked_add(extent)?;
        Some(Geometry { lower, upper, is_marked: true, is_certain: true, ..self.clone() })
    }

    /// Those elements of an array that are taken in every dimension; the first dimension is the one whose elements lie side by side.
    #[must_use]
    pub fn array(&self, dimensions: &[Dimension]) -> Option<Geometry> {
        let extent = self.extent().filter(|_| self.is_certain || dimensions.iter().all(|d| d.size == 1))?;
        let (mut bytes, mut stride) = (self.bytes.clone(), extent);
        for dimension in dimensions {
            let row = |t: &Taken| {
                let row = bytes.repeated(t.len, stride)?.repeated(t.count, t.step.checked_mul(stride)?)?;
                row.moved(t.first.checked_mul(stride)?)
            };
            bytes = Footprint::union(dimension.taken.iter().map(row).collect::<Option<_>>()?)?;
            stride = stride.checked_mul(dimension.size)?;
        }
        Some(Geometry { bytes, lower: 0, upper: stride, is_marked: true, is_certain: true, align: self.align })
    }

    /// Whether it has neither bytes nor markers.
    fn is_nothing(&self) -> bool {
        self.bytes.is_empty() && !self.is_marked
    }

    /// Some libraries round the extent of what is no struct, too.
    fn checked(mut self) -> Geometry {
        let is_round = self.upper.checked_sub(self.lower).is_some_and(|extent| extent.rem_euclid(self.align) == 0);
        self.is_certain &= self.is_marked || is_round;
        self
    }
}
