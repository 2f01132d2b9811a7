//! Causes and effects in a model of the formula: what must come before what, and where that goes round in a circle.
//!
//! The nodes are the returns of steps, the matches of sends, and collectives. A model without a circle is a run; each circle gives a
//! clause that excludes it, and every other model with the same circle.

use super::cnf::Lit;
use super::encode::Formula;
use super::library::{Library, Members};
use super::model::{At, PartPost};
use crate::program::{Flow, Mode};

type Node = u32;

/// Something that comes before something else, because these hold.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: Node,
    to: Node,
    because: [Option<Lit>; 2],
    /// Whether it is so only because of what is assumed of the library.
    is_assumed: bool,
}

/// The order of what happens in a model.
pub(crate) struct Order {
    /// The first node of each lane's steps.
    lanes: Vec<Node>,
    matches: Node,
    nodes: usize,
    /// Sorted by where they begin.
    edges: Vec<Edge>,
    first: Vec<u32>,
}

/// More circles than this are not looked for at a time.
const CIRCLES_MAX: usize = 64;
/// From more nodes of a component than this, none is looked for.
const STARTS_MAX: u32 = 32;

impl Edge {
    /// How many reasons it has.
    fn cost(&self) -> u32 {
        u32::try_from(self.because.iter().flatten().count()).unwrap_or(0) + u32::from(self.is_assumed)
    }
}

/// Where a search came, and how; used again and again.
struct Walk {
    came: Vec<Option<Edge>>,
    cost: Vec<u32>,
    touched: Vec<Node>,
}

impl Walk {
    fn begin(&mut self) {
        for node in self.touched.drain(..) {
            (self.came[node as usize], self.cost[node as usize]) = (None, u32::MAX);
        }
    }

    fn reach(&mut self, edge: &Edge, cost: u32) {
        (self.came[edge.to as usize], self.cost[edge.to as usize]) = (Some(*edge), cost);
        self.touched.push(edge.to);
    }
}

impl Order {
    /// The order in the model that was found last.
    pub(crate) fn of(formula: &Formula, library: Library) -> Order {
        let mut lanes = Vec::with_capacity(formula.model.lanes.len());
        let mut count = 0u32;
        for steps in &formula.model.lanes {
            lanes.push(count);
            count += u32::try_from(steps.len()).unwrap_or(0);
        }
        let sends = u32::try_from(formula.model.sends.len()).unwrap_or(0);
        let nodes = count as usize + formula.model.sends.len() + formula.model.rounds.len();
        let order = Order { lanes, matches: count, nodes, edges: Vec::new(), first: Vec::new() };
        let mut builder = Builder { order, formula, library, rounds: count + sends };
        builder.steps();
        builder.matches();
        builder.collectives();
        builder.order.index();
        builder.order
    }

    fn index(&mut self) {
        self.edges.sort_by_key(|edge| (edge.from, edge.to));
        self.first = vec![0; self.nodes + 1];
        for edge in &self.edges {
            self.first[edge.from as usize + 1] += 1;
        }
        for node in 0..self.nodes {
            self.first[node + 1] += self.first[node];
        }
    }

    fn out(&self, node: Node) -> &[Edge] {
        &self.edges[self.first[node as usize] as usize..self.first[node as usize + 1] as usize]
    }

    /// When each send is matched, as a place in one possible order of everything. Only right if there is no circle.
    pub(crate) fn places(&self, sends: usize) -> Vec<u32> {
        let mut waiting = vec![0u32; self.nodes];
        for edge in &self.edges {
            waiting[edge.to as usize] += 1;
        }
        let ready = (0..self.nodes as u32).filter(|node| waiting[*node as usize] == 0).map(std::cmp::Reverse);
        let mut ready: std::collections::BinaryHeap<_> = ready.collect();
        let mut places = vec![0; self.nodes];
        let mut next = 0;
        while let Some(std::cmp::Reverse(node)) = ready.pop() {
            places[node as usize] = next;
            next += 1;
            for edge in self.out(node) {
                waiting[edge.to as usize] -= 1;
                if waiting[edge.to as usize] == 0 {
                    ready.push(std::cmp::Reverse(edge.to));
                }
            }
        }
        places[self.matches as usize..self.matches as usize + sends].to_vec()
    }

    /// The reasons of some circles: in each list, one must not hold. Empty if everything is in order.
    pub(crate) fn circles(&self, guards: &[Lit]) -> Vec<Vec<Lit>> {
        let component = self.components();
        let mut sizes = vec![0u32; self.nodes];
        component.iter().for_each(|c| sizes[*c as usize] += 1);
        let mut found: Vec<Vec<Lit>> = Vec::new();
        let mut tried = vec![0u32; self.nodes];
        let mut walk = Walk { came: vec![None; self.nodes], cost: vec![u32::MAX; self.nodes], touched: Vec::new() };
        for start in (0..self.nodes).filter(|node| sizes[component[*node] as usize] > 1) {
            let tried = &mut tried[component[start] as usize];
            if *tried >= STARTS_MAX || found.len() >= CIRCLES_MAX {
                continue;
            }
            *tried += 1;
            let Some(mut reasons) = self.shortest(start as Node, &component, guards, &mut walk) else { continue };
            reasons.sort_unstable();
            reasons.dedup();
            if !found.contains(&reasons) {
                found.push(reasons);
            }
        }
        found
    }

    /// The circle through a node that has the fewest reasons.
    fn shortest(&self, start: Node, component: &[u32], guards: &[Lit], walk: &mut Walk) -> Option<Vec<Lit>> {
        walk.begin();
        let mut queue = std::collections::VecDeque::from([(start, 0)]);
        let own = component[start as usize];
        let mut best: Option<(u32, Edge)> = None;
        while let Some((node, paid)) = queue.pop_front() {
            if best.is_some_and(|(least, _)| least <= paid) || walk.cost[node as usize] < paid {
                continue;
            }
            for edge in self.out(node).iter().filter(|edge| component[edge.to as usize] == own) {
                let total = paid + edge.cost();
                if edge.to == start && best.is_none_or(|(least, _)| total < least) {
                    best = Some((total, *edge));
                } else if edge.to != start && total < walk.cost[edge.to as usize] {
                    walk.reach(edge, total);
                    if edge.cost() == 0 { queue.push_front((edge.to, total)) } else { queue.push_back((edge.to, total)) }
                }
            }
        }
        let (_, mut edge) = best?;
        let mut reasons: Vec<Lit> = Vec::new();
        let mut is_assumed = false;
        loop {
            reasons.extend(edge.because.iter().flatten());
            is_assumed |= edge.is_assumed;
            if edge.from == start {
                break;
            }
            edge = walk.came[edge.from as usize]?;
        }
        if is_assumed {
            reasons.extend(guards);
        }
        Some(reasons)
    }

    /// The number of each node's strongly connected component (Tarjan's algorithm, without recursion).
    fn components(&self) -> Vec<u32> {
        const NEW: u32 = u32::MAX;
        let mut component = vec![NEW; self.nodes];
        let (mut number, mut lowest) = (vec![NEW; self.nodes], vec![0u32; self.nodes]);
        let (mut open, mut visits): (Vec<Node>, Vec<(Node, usize)>) = (Vec::new(), Vec::new());
        let (mut next, mut found) = (0, 0);
        for root in 0..self.nodes as u32 {
            if number[root as usize] != NEW {
                continue;
            }
            visits.push((root, 0));
            while let Some((node, at)) = visits.pop() {
                let n = node as usize;
                if at == 0 {
                    (number[n], lowest[n]) = (next, next);
                    next += 1;
                    open.push(node);
                }
                if let Some(edge) = self.out(node).get(at) {
                    visits.push((node, at + 1));
                    let to = edge.to as usize;
                    if number[to] == NEW {
                        visits.push((edge.to, 0));
                    } else if component[to] == NEW {
                        lowest[n] = lowest[n].min(number[to]);
                    }
                    continue;
                }
                if lowest[n] == number[n] {
                    while let Some(member) = open.pop() {
                        component[member as usize] = found;
                        if member == node {
                            break;
                        }
                    }
                    found += 1;
                }
                if let Some((parent, _)) = visits.last() {
                    let parent = *parent as usize;
                    lowest[parent] = lowest[parent].min(lowest[n]);
                }
            }
        }
        component
    }
}

/// The work in progress.
struct Builder<'f, 'm, 'b> {
    order: Order,
    formula: &'f Formula<'m, 'b>,
    library: Library,
    rounds: Node,
}

impl Builder<'_, '_, '_> {
    fn edge(&mut self, from: Node, to: Node, because: [Option<Lit>; 2], is_assumed: bool) {
        self.order.edges.push(Edge { from, to, because, is_assumed });
    }

    fn ret(&self, lane: u32, step: u32) -> Node {
        self.order.lanes[lane as usize] + step
    }

    /// The return that posting something comes after; None at the beginning of a lane.
    fn before(&self, at: At) -> Option<Node> {
        at.step.checked_sub(1).map(|step| self.ret(at.lane, step))
    }

    fn has_returned(&self, lane: u32, step: Option<u32>) -> Option<(Node, Lit)> {
        let step = step?;
        let lit = self.formula.returned[lane as usize][step as usize];
        self.formula.cnf.holds(lit).then(|| (self.ret(lane, step), lit))
    }

    fn steps(&mut self) {
        for (lane, steps) in (0..).zip(&self.formula.returned) {
            for step in 1..u32::try_from(steps.len()).unwrap_or(0) {
                if !self.formula.cnf.holds(steps[step as usize]) {
                    break;
                }
                self.edge(self.ret(lane, step - 1), self.ret(lane, step), [None; 2], false);
            }
        }
    }

    fn matches(&mut self) {
        let formula = self.formula;
        for pair in formula.pairs.iter().filter(|pair| formula.cnf.holds(pair.lit)) {
            let because = [Some(pair.lit), None];
            let own = self.order.matches + pair.send;
            let (send, receive) = (&formula.model.sends[pair.send as usize], &formula.model.receives[pair.receive as usize]);
            for before in [self.before(send.at), self.before(receive.at)].into_iter().flatten() {
                self.edge(before, own, because, false);
            }
            if let Some((done, _)) = self.has_returned(receive.at.lane, receive.done) {
                self.edge(own, done, because, false);
            }
            if self.library.holds(send.mode, send.bytes)
                && let Some((done, _)) = self.has_returned(send.at.lane, send.done)
            {
                self.edge(own, done, because, send.mode != Mode::Synchronous);
            }
            for earlier in formula.model.overtaken(pair.send, receive) {
                self.edge(self.order.matches + earlier, own, because, false);
            }
            for earlier in formula.model.preceding(pair.receive, send) {
                let pairs = formula.of_receive[earlier as usize].iter().map(|at| formula.pairs[*at as usize]);
                for other in pairs.filter(|other| formula.cnf.holds(other.lit)) {
                    self.edge(self.order.matches + other.send, own, [Some(pair.lit), Some(other.lit)], false);
                }
            }
        }
    }

    fn collectives(&mut self) {
        let formula = self.formula;
        let model = formula.model;
        for (number, round) in (0..).zip(&model.rounds) {
            let own = self.rounds + number;
            for part in round.parts.iter().map(|part| &model.parts[*part as usize]) {
                let before = self.before(part.at).filter(|_| formula.cnf.holds(formula.posted(part.at)));
                if let Some(before) = before {
                    self.edge(before, own, [None; 2], false);
                }
                let Some((done, lit)) = self.has_returned(part.at.lane, part.done) else { continue };
                let because = [Some(lit), None];
                if part.flow == Flow::All || self.library.members == Members::Wait {
                    self.edge(own, done, because, part.flow != Flow::All);
                    continue;
                }
                for source in sources(part, round.parts.len(), &model.sets) {
                    let source = &model.parts[round.parts[source] as usize];
                    if let Some(before) = self.before(source.at) {
                        self.edge(before, done, because, false);
                    }
                }
            }
        }
    }
}

/// The members whose data a member of a collective needs, if not those of all.
fn sources(part: &PartPost, members: usize, sets: &[Vec<u32>]) -> Vec<usize> {
    match part.flow {
        Flow::Root(root) if (root as usize) < members => vec![root as usize],
        Flow::Each(set) => sets[set as usize].iter().map(|member| *member as usize).filter(|at| *at < members).collect(),
        Flow::Before => (0..part.member as usize).collect(),
        _ => Vec::new(),
    }
}
