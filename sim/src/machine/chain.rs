//! Queues that share one pool of nodes, so that the machine allocates nothing while it runs.

/// No node.
pub(crate) const NONE: u32 = u32::MAX;

/// Values in reusable places.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Pool<T> {
    fn default() -> Pool<T> {
        Pool { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Pool<T> {
    /// Puts a value somewhere.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.items[at as usize] = value;
            return at;
        }
        self.items.push(value);
        u32::try_from(self.items.len() - 1).expect("fewer than 2^32 operations are under way at a time")
    }

    /// Gives a place back. What is in it stays readable until it is used again.
    pub(crate) fn remove(&mut self, at: u32) {
        self.free.push(at);
    }
}

impl<T> std::ops::Index<u32> for Pool<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        &self.items[at as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Pool<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.items[at as usize]
    }
}

/// A value with the place of the next one.
#[derive(Debug)]
pub(crate) struct Node<T> {
    next: u32,
    pub(crate) value: T,
}

/// A queue of nodes of a [`Chains`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    head: u32,
    tail: u32,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue::EMPTY
    }
}

impl Queue {
    pub(crate) const EMPTY: Queue = Queue { head: NONE, tail: NONE };

    pub(crate) fn is_empty(&self) -> bool {
        self.head == NONE
    }
}

/// A node of a queue, and the one before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    before: u32,
    pub(crate) at: u32,
}

/// The nodes of many queues.
#[derive(Debug)]
pub(crate) struct Chains<T> {
    nodes: Pool<Node<T>>,
}

impl<T> Default for Chains<T> {
    fn default() -> Chains<T> {
        Chains { nodes: Pool::default() }
    }
}

impl<T> Chains<T> {
    /// Adds a value at the end of a queue.
    pub(crate) fn push(&mut self, queue: &mut Queue, value: T) -> u32 {
        let at = self.nodes.insert(Node { next: NONE, value });
        if queue.tail == NONE {
            queue.head = at;
        } else {
            self.nodes[queue.tail].next = at;
        }
        queue.tail = at;
        at
    }

    /// Keeps a value in no queue at all.
    pub(crate) fn keep(&mut self, value: T) -> u32 {
        self.nodes.insert(Node { next: NONE, value })
    }

    /// Lets go of a value that is in no queue.
    pub(crate) fn discard(&mut self, at: u32) {
        self.nodes.remove(at);
    }

    /// The first value of a queue that is wanted.
    pub(crate) fn find(&self, queue: &Queue, wanted: impl FnMut(&T) -> bool) -> Option<Found> {
        self.find_after(queue, None, wanted)
    }

    /// The first value of a queue behind a place that is wanted.
    pub(crate) fn find_after(&self, queue: &Queue, place: Option<Found>, mut wanted: impl FnMut(&T) -> bool) -> Option<Found> {
        let (mut before, mut at) = match place {
            None => (NONE, queue.head),
            Some(found) => (found.at, self.nodes[found.at].next),
        };
        while at != NONE {
            let node = &self.nodes[at];
            if wanted(&node.value) {
                return Some(Found { before, at });
            }
            (before, at) = (at, node.next);
        }
        None
    }

    /// Takes a node out of its queue. The value stays readable until the next push.
    pub(crate) fn remove(&mut self, queue: &mut Queue, Found { before, at }: Found) {
        self.unlink(queue, Found { before, at });
        self.nodes.remove(at);
    }

    /// Takes a node out of its queue and keeps it.
    pub(crate) fn unlink(&mut self, queue: &mut Queue, Found { before, at }: Found) {
        let next = self.nodes[at].next;
        if before == NONE {
            queue.head = next;
        } else {
            self.nodes[before].next = next;
        }
        if queue.tail == at {
            queue.tail = before;
        }
    }

    /// The values of a queue, first to last.
    pub(crate) fn iter<'a>(&'a self, queue: &Queue) -> impl Iterator<Item = &'a T> {
        let mut at = queue.head;
        std::iter::from_fn(move || {
            let node = (at != NONE).then(|| &self.nodes[at])?;
            at = node.next;
            Some(&node.value)
        })
    }
}

impl<T> std::ops::Index<u32> for Chains<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        &self.nodes[at].value
    }
}

impl<T> std::ops::IndexMut<u32> for Chains<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.nodes[at].value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_comes_out_in_order_whatever_is_taken_between() {
        let mut chains = Chains::default();
        let mut queue = Queue::default();
        for n in 0..5 {
            chains.push(&mut queue, n);
        }
        for taken in [2, 4, 0] {
            let found = chains.find(&queue, |n| *n == taken).unwrap();
            chains.remove(&mut queue, found);
        }
        chains.push(&mut queue, 7);
        assert_eq!(chains.iter(&queue).copied().collect::<Vec<_>>(), [1, 3, 7]);
    }
}
