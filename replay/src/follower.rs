//! One thread on its course: which call is expected next, what has to come of it, and whether it did.
//!
//! It knows nothing of MPI's library: the preload asks it before a call, and tells it what came.

use std::sync::Arc;

use traces::{Call, Outcome};

use crate::choice::{Choice, Wildcards};
use crate::course::{Course, Order, Step};
use crate::fingerprint::Fingerprint;
use crate::likeness::{key, text};

/// A thread that follows its course.
#[derive(Debug)]
pub struct Follower {
    course: Arc<Course>,
    thread: usize,
    /// How many steps are done.
    done: usize,
    /// How often the step at hand has found nothing.
    repeated: u64,
    /// Where its digests begin.
    digests_at: usize,
    /// The step of the call at hand, if it is on the course.
    at_hand: Option<usize>,
    wildcards: Wildcards,
    fingerprint: Fingerprint,
    counts: Counts,
}

/// What a thread has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were as expected.
    pub followed: u64,
    /// Choices that were made as recorded.
    pub choices: u64,
    /// Calls that were not as expected.
    pub divergences: u64,
    /// Calls whose data were other than recorded.
    pub other_data: u64,
    /// Calls after the end of the course.
    pub beyond: u64,
}

/// How a call is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// It is another one.
    Call {
        /// What was expected.
        expected: String,
        /// Where it was made then.
        place: String,
        /// What came.
        found: String,
    },
    /// MPI chose otherwise, where nothing could make it choose.
    Choice {
        /// The call.
        call: String,
        /// Where it was made.
        place: String,
        /// What was recorded.
        expected: String,
        /// What came.
        found: String,
    },
    /// The data are others. That is no other way yet.
    Data {
        /// The call.
        call: String,
        /// Where it was made.
        place: String,
    },
}

/// How far a call may be ahead for it to be found again after a divergence.
const LOOK_AHEAD: usize = 1000;

impl Follower {
    /// Of a thread that makes this call first, after MPI_Init. It takes the course that begins so and that is free, the one with its own number
    /// if there are several: which thread comes first is nobody's choice. None if none is free.
    #[must_use]
    pub fn new(course: &Arc<Course>, thread: usize, first: &Call, is_free: impl Fn(usize) -> bool) -> Option<Follower> {
        let key = key(first.function, &first.arguments);
        let begins_so = |at: &usize| {
            let thread = &course.threads[*at];
            let step = thread.order.first().map(|&step| &thread.steps[step as usize]);
            step.is_some_and(|step| course.calls[step.call as usize].key == key)
        };
        let free = || (0..course.threads.len()).filter(|&at| is_free(at));
        let own = |list: &mut dyn Iterator<Item = usize>| {
            let list: Vec<usize> = list.collect();
            list.iter().find(|&&at| at == thread).or(list.first()).copied()
        };
        // The main thread goes on where it was.
        let of_main = (thread == 0 && is_free(0)).then_some(0);
        let at = of_main.or_else(|| own(&mut free().filter(begins_so))).or_else(|| own(&mut free()))?;
        Some(Follower {
            course: Arc::clone(course),
            thread: at,
            done: 0,
            repeated: 0,
            digests_at: 0,
            at_hand: None,
            wildcards: Wildcards::default(),
            fingerprint: Fingerprint::default(),
            counts: Counts::default(),
        })
    }

    /// Which thread's course it is.
    #[must_use]
    pub fn thread(&self) -> usize {
        self.thread
    }

    /// What it has done.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The digest of its choices.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint.digest()
    }

    fn step(&self, at: usize) -> Option<&Step> {
        let thread = &self.course.threads[self.thread];
        thread.order.get(at).map(|&number| &thread.steps[number as usize])
    }

    /// What has to come of a call that the thread is about to make. After the end everything is as it is.
    ///
    /// # Errors
    /// If another call is expected. The place on the course is where this call is expected, if it is soon; else it stays.
    pub fn next(&mut self, call: &Call) -> Result<&Order, Divergence> {
        self.at_hand = None;
        let Some(step) = self.step(self.done) else {
            self.counts.beyond += 1;
            return Ok(&Order::AsItIs);
        };
        let key = key(call.function, &call.arguments);
        let expected = &self.course.calls[step.call as usize];
        if expected.key != key {
            let found = text(call.function, &call.arguments);
            let divergence = Divergence::Call { expected: expected.text.clone(), place: expected.place.clone(), found };
            self.counts.divergences += 1;
            self.find(key);
            return Err(divergence);
        }
        self.at_hand = Some(self.done);
        Ok(self.step(self.done).map_or(&Order::AsItIs, |step| &step.order))
    }

    /// What has to come of the call that was not expected, if it was found further on.
    #[must_use]
    pub fn found_again(&self) -> &Order {
        self.at_hand.and_then(|at| self.step(at)).map_or(&Order::AsItIs, |step| &step.order)
    }

    fn find(&mut self, key: u64) {
        let is_it = |at: &usize| self.step(*at).is_some_and(|step| self.course.calls[step.call as usize].key == key);
        let Some(at) = (self.done..self.done + LOOK_AHEAD).find(is_it) else { return };
        while self.done < at {
            self.advance();
        }
        self.at_hand = Some(at);
    }

    fn advance(&mut self) {
        self.digests_at += self.step(self.done).map_or(0, |step| step.digests as usize);
        self.done += 1;
        self.repeated = 0;
    }

    /// What came of the call, with the digests of what it sent and received.
    ///
    /// # Errors
    /// If it is not what was recorded.
    pub fn came(&mut self, call: &Call, outcome: &Outcome, words: &[u64]) -> Result<(), Divergence> {
        let choices = self.wildcards.of_call(call, outcome, words);
        let Some(at) = self.at_hand.take() else { return Ok(()) };
        let Some(step) = self.step(at) else { return Ok(()) };
        let expected = &self.course.calls[step.call as usize];
        let key = key(call.function, &call.arguments);
        let found_nothing = choices.iter().any(|choice| matches!(choice, Choice::Nothing(_)));
        if let Order::FindNothing(times) = step.order
            && found_nothing
        {
            self.fingerprint.add(key, &Choice::Nothing(1));
            self.repeated += 1;
            self.counts.choices += 1;
            if self.repeated >= times {
                self.counts.followed += 1;
                self.advance();
            }
            return Ok(());
        }
        let is_compared = !self.course.is_forced;
        let other_choice = (is_compared && choices != step.choices).then(|| Divergence::Choice {
            call: expected.text.clone(),
            place: expected.place.clone(),
            expected: in_words(&step.choices),
            found: in_words(&choices),
        });
        let recorded = &self.course.threads[self.thread].digests[self.digests_at..][..step.digests as usize];
        let differs = |(recorded, found): (&u64, &u64)| *recorded != 0 && *found != 0 && recorded != found;
        let other_data = is_compared && recorded.len() == words.len() && recorded.iter().zip(words).any(differs);
        let other_data = other_data.then(|| Divergence::Data { call: expected.text.clone(), place: expected.place.clone() });
        choices.iter().for_each(|choice| self.fingerprint.add(key, choice));
        self.advance();
        self.counts.followed += 1;
        self.counts.choices += choices.len() as u64;
        self.counts.other_data += u64::from(other_data.is_some());
        self.counts.divergences += u64::from(other_choice.is_some());
        other_choice.or(other_data).map_or(Ok(()), Err)
    }
}

/// Choices as a person would say them.
fn in_words(choices: &[Choice]) -> String {
    let one = |choice: &Choice| match choice {
        Choice::Message { source, tag } => format!("a message from rank {source} with tag {tag}"),
        Choice::Completed(list) => format!("completion of {list:?}"),
        Choice::Nothing(_) => "nothing".to_owned(),
        Choice::Something => "what was asked for".to_owned(),
    };
    let list: Vec<String> = choices.iter().map(one).collect();
    if list.is_empty() { "no choice".to_owned() } else { list.join(" and ") }
}
