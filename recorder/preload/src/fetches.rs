//! What calls fetch that make no request: it is there when another call on the same window or file completes it.

use traces::Kind;

use crate::contents::Content;

/// So many are remembered.
const FETCHES_MAX: usize = 1 << 16;

/// Data on its way.
#[derive(Debug)]
struct Fetch {
    /// The window or the file.
    of: (Kind, u64),
    /// The rank that it comes from.
    from: Option<i64>,
    content: Content,
}

/// What is on its way to this process, in the order that it was asked for.
#[derive(Debug, Default)]
pub struct Fetches {
    list: Vec<Fetch>,
    /// Whether there were more than are remembered: then nothing is told until all that is here has come.
    is_incomplete: bool,
}

impl Fetches {
    /// A call fetches this.
    pub fn add(&mut self, of: (Kind, u64), from: Option<i64>, content: Content) {
        if self.list.len() < FETCHES_MAX {
            self.list.push(Fetch { of, from, content });
        } else {
            self.is_incomplete = true;
        }
    }

    /// A call completes what was fetched from this window or file, and from this rank only if one is given: gives it to `each`.
    pub fn complete(&mut self, of: (Kind, u64), from: Option<i64>, mut each: impl FnMut(Content)) {
        let is_meant = |fetch: &mut Fetch| fetch.of == of && (from.is_none() || fetch.from == from);
        for fetch in self.list.extract_if(.., is_meant) {
            if !self.is_incomplete {
                each(fetch.content);
            }
        }
        self.is_incomplete &= !self.list.is_empty();
    }

    /// A window or a file is no more.
    pub fn forget(&mut self, of: (Kind, u64)) {
        self.complete(of, None, |_| {});
    }
}
