//! The families of programs that checkers of recorded traces are measured with, each as the pattern of its messages.

use traces::Trace;

use crate::job::Job;
use crate::random::Random;

/// A master gives each worker one task and takes the results from anybody.
pub fn integrate(ranks: usize) -> Trace {
    let mut job = Job::new(ranks);
    (1..ranks).for_each(|worker| job.send(0, worker, 1));
    (1..ranks).for_each(|worker| job.recv_any(0, Some(2), Some((worker, 2))));
    for worker in 1..ranks {
        job.recv(worker, 0, 1);
        job.send(worker, 0, 2);
    }
    job.finish()
}

/// The same, but the last result is asked of the last worker: whoever takes it before makes a deadlock.
pub fn last_named(ranks: usize) -> Trace {
    let mut job = Job::new(ranks);
    (1..ranks - 1).for_each(|worker| job.recv_any(0, Some(2), Some((worker, 2))));
    job.recv(0, ranks - 1, 2);
    (1..ranks).for_each(|worker| job.send(worker, 0, 2));
    job.finish()
}

/// Row after row goes from its owner to all others, who take it from anybody.
pub fn floyd(ranks: usize, rows: usize) -> Trace {
    let mut job = Job::new(ranks);
    for row in 0..rows {
        let owner = row % ranks;
        for other in (0..ranks).filter(|other| *other != owner) {
            job.send(owner, other, 0);
            job.recv_any(other, Some(0), Some((owner, 0)));
        }
    }
    job.finish()
}

/// A periodic grid: each step an exchange with four neighbours by name, then rank 0 takes two rows of everybody else.
pub fn diffusion(width: usize, height: usize, steps: usize) -> Trace {
    let ranks = width * height;
    let at = |x: usize, y: usize| (y % height) * width + x % width;
    let mut job = Job::new(ranks);
    for _ in 0..steps {
        job.barrier();
        for rank in 0..ranks {
            let (x, y) = (rank % width + width, rank / width + height);
            let [left, right, up, down] = [at(x - 1, y), at(x + 1, y), at(x, y - 1), at(x, y + 1)];
            for (to, from) in [(up, down), (down, up), (left, right), (right, left)] {
                job.send(rank, to, 0);
                job.recv(rank, from, 0);
            }
            (0..2).filter(|_| rank != 0).for_each(|row| job.send(rank, 0, row));
        }
        for rank in 1..ranks {
            (0..2).for_each(|row| job.recv_any(0, None, Some((rank, row))));
        }
    }
    job.finish()
}

/// Five ranks that get stuck only if nothing is buffered, and only in one order.
pub fn dtg() -> Trace {
    let mut job = Job::new(5);
    job.recv_any(0, Some(0), Some((2, 0)));
    job.send(0, 3, 0);
    job.recv_any(0, Some(0), Some((1, 0)));
    job.send(1, 0, 0);
    job.send(1, 3, 0);
    job.recv_any(2, Some(0), Some((4, 0)));
    job.send(2, 0, 0);
    job.recv(3, 1, 0);
    job.recv(3, 0, 0);
    job.send(4, 2, 0);
    job.finish()
}

/// Three ranks that get stuck only if one certain message is buffered and another one is not.
pub fn mixed() -> Trace {
    let mut job = Job::new(3);
    job.send(0, 2, 2);
    job.send(0, 2, 3);
    job.send(1, 2, 1);
    job.send(1, 2, 2);
    job.recv_any(2, Some(2), Some((0, 2)));
    job.recv(2, 0, 3);
    job.recv(2, 1, 1);
    job.recv_any(2, Some(2), Some((1, 2)));
    job.finish()
}

/// A periodic grid of nonblocking sends; the last receive of each step takes anything.
pub fn heat(width: usize, height: usize, steps: usize) -> Trace {
    let ranks = width * height;
    let at = |x: usize, y: usize| (y % height) * width + x % width;
    let mut job = Job::new(ranks);
    for _ in 0..steps {
        for rank in 0..ranks {
            let (x, y) = (rank % width + width, rank / width + height);
            let [left, right, up, down] = [at(x - 1, y), at(x + 1, y), at(x, y - 1), at(x, y + 1)];
            for (slot, (to, from)) in (0..).zip([(up, down), (down, up), (left, right), (right, left)]) {
                job.isend(rank, to, slot, slot);
                match slot {
                    3 => job.recv_any(rank, None, Some((from, slot))),
                    _ => job.recv(rank, from, slot),
                }
            }
            job.waitall(rank, 0..4);
        }
        for rank in 1..ranks {
            job.send(rank, 0, 9);
            job.recv(0, rank, 9);
        }
        for rank in 1..ranks {
            job.send(0, rank, 9);
            job.recv(rank, 0, 9);
        }
    }
    job.finish()
}

/// Gaussian elimination: the owner of the pivot sends it to all, who take it from anybody; a barrier of messages by name.
pub fn elimination(ranks: usize, pivots: usize) -> Trace {
    let mut job = Job::new(ranks);
    for owner in (0..pivots).map(|pivot| pivot % ranks) {
        for other in (0..ranks).filter(|other| *other != owner) {
            job.send(owner, other, 1);
            job.recv_any(other, Some(1), Some((owner, 1)));
        }
        for rank in 1..ranks {
            job.send(rank, 0, 2);
            job.recv(0, rank, 2);
        }
        for rank in 1..ranks {
            job.send(0, rank, 2);
            job.recv(rank, 0, 2);
        }
    }
    job.finish()
}

/// A program that gets stuck exactly if a formula of clauses with three literals each has a model.
pub fn gadget(variables: usize, clauses: usize, seed: u64) -> Trace {
    let mut random = Random::new(seed);
    let clauses: Vec<Vec<(usize, bool)>> = (0..clauses).map(|_| random.clause(variables)).collect();
    let n = variables;
    let [decision, clause, variable] = [2 * n, 3 * n, 3 * n + clauses.len()];
    let (result, satisfied) = (variable + 1, variable + 2);
    let mut job = Job::new(satisfied + 1);
    for v in 0..n {
        for (rank, value) in [(v, true), (n + v, false)] {
            job.ssend(rank, decision + v, 0);
            for (number, _) in clauses.iter().enumerate().filter(|(_, literals)| literals.contains(&(v, value))) {
                job.ssend(rank, clause + number, 0);
            }
        }
        job.recv_any(decision + v, Some(0), None);
        job.ssend(decision + v, variable, 0);
        job.recv_any(decision + v, Some(0), None);
    }
    for (number, literals) in clauses.iter().enumerate() {
        job.recv_any(clause + number, Some(0), None);
        job.ssend(clause + number, satisfied, 0);
        literals[1..].iter().for_each(|_| job.recv_any(clause + number, Some(0), None));
        job.recv(satisfied, clause + number, 0);
    }
    job.ssend(variable, result, 0);
    (0..n).for_each(|_| job.recv_any(variable, Some(0), None));
    job.recv_any(result, Some(0), None);
    job.recv(result, satisfied, 0);
    job.ssend(satisfied, result, 0);
    job.finish()
}

/// A run of random messages, of whose receives one in ten takes from anybody.
pub fn tangle(ranks: usize, messages: usize, seed: u64) -> Trace {
    let mut random = Random::new(seed);
    let mut job = Job::new(ranks);
    let mut under_way: Vec<(usize, usize, i64)> = Vec::new();
    let mut sent = 0;
    while sent < messages || !under_way.is_empty() {
        if sent == messages || (!under_way.is_empty() && random.below(2) == 0) {
            let (from, to, _) = under_way[random.below(under_way.len())];
            // The first of its way, so that nothing is overtaken.
            let first = under_way.iter().position(|m| (m.0, m.1) == (from, to)).expect("there is one");
            let (from, to, tag) = under_way.remove(first);
            match random.below(10) {
                0 => job.recv_any(to, Some(tag), Some((from, tag))),
                _ => job.recv(to, from, tag),
            }
        } else {
            let (from, step) = (random.below(ranks), 1 + random.below(ranks - 1));
            let message = (from, (from + step) % ranks, random.below(2) as i64);
            job.send(message.0, message.1, message.2);
            under_way.push(message);
            sent += 1;
        }
        if random.below(20 * ranks) == 0 {
            job.barrier();
        }
    }
    job.finish()
}

/// Neighbours in a grid exchange messages by name.
pub fn stencil(width: usize, height: usize, steps: usize) -> Trace {
    let ranks = width * height;
    let at = |x: usize, y: usize| (y % height) * width + x % width;
    let mut job = Job::new(ranks);
    for rank in 0..ranks {
        let (x, y) = (rank % width + width, rank / width + height);
        let around = [at(x - 1, y), at(x + 1, y), at(x, y - 1), at(x, y + 1)];
        for _ in 0..steps {
            for (slot, to) in (0..).zip(around) {
                job.isend(rank, to, slot, slot);
            }
            for (tag, from) in [1, 0, 3, 2].into_iter().zip(around) {
                job.recv(rank, from, tag);
            }
            job.waitall(rank, 0..4);
        }
    }
    job.finish()
}
