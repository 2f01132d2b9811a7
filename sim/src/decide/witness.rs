//! The schedule of a run that gets stuck, in terms of the recorded program.

use super::cnf::Lit;
use super::confluent::End;
use super::encode::Formula;
use super::library::{Library, Members, Sends};
use super::model::{Awaited, Model, SendNo};
use super::order::Order;
use super::schedule::Schedule;
use crate::program::{Mode, Pin, Program};

impl Formula<'_, '_> {
    /// The run that the model found last stands for.
    pub(crate) fn end(&self, order: &Order) -> End {
        let places = order.places(self.model.sends.len());
        let holds = |lit: &&Lit| self.cnf.holds(**lit);
        let returned = self.returned.iter().map(|steps| u32::try_from(steps.iter().take_while(holds).count()).unwrap_or(0));
        let mut end = End {
            returned: returned.collect(),
            taken: vec![Vec::new(); self.model.receives.len()],
            matched: vec![false; self.model.sends.len()],
        };
        for pair in self.pairs.iter().filter(|pair| self.cnf.holds(pair.lit)) {
            end.taken[pair.receive as usize].push(pair.send);
            end.matched[pair.send as usize] = true;
        }
        for taken in &mut end.taken {
            taken.sort_by_key(|send| places[*send as usize]);
        }
        end
    }
}

/// The schedule of a run. With `keeps_order`, receives that are alike take their messages in the recorded order as far as they are the same;
/// that is simpler, and mostly possible.
pub(crate) fn schedule(program: &Program, model: &Model, library: Library, end: &End, keeps_order: bool) -> Schedule {
    let mut schedule = Schedule { library, matches: Default::default(), held: Default::default() };
    for (receive, taken) in model.receives.iter().zip(&end.taken) {
        let lane = receive.at.lane;
        let pins = &program.lanes[lane as usize].pins;
        let recorded: Vec<Option<Pin>> =
            receive.members.iter().map(|member| pins.get(member.wildcard? as usize).copied().flatten()).collect();
        let taken = if keeps_order { in_recorded_order(model, &recorded, taken) } else { taken.clone() };
        for ((member, pin), send) in receive.members.iter().zip(&recorded).zip(taken) {
            let post = &model.sends[send as usize];
            let is_as_recorded = *pin == Some(Pin { channel: post.channel, tag: post.tag });
            if let Some(wildcard) = member.wildcard.filter(|_| !is_as_recorded) {
                let source = program.channels[post.channel as usize].source;
                schedule.matches.insert((lane, wildcard), (source, post.tag));
            }
        }
    }
    hold(model, library, end, &mut schedule);
    schedule
}

/// Messages in the order of the recorded ones that they are like; the others fill the gaps.
fn in_recorded_order(model: &Model, recorded: &[Option<Pin>], taken: &[SendNo]) -> Vec<SendNo> {
    let mut left: Vec<SendNo> = taken.to_vec();
    let mut places: Vec<Option<SendNo>> = vec![None; taken.len()];
    for (place, pin) in places.iter_mut().zip(recorded) {
        let is_like = |send: &SendNo| {
            let post = &model.sends[*send as usize];
            *pin == Some(Pin { channel: post.channel, tag: post.tag })
        };
        *place = left.iter().position(is_like).map(|at| left.remove(at));
    }
    let mut left = left.into_iter();
    places.into_iter().filter_map(|place| place.or_else(|| left.next())).collect()
}

/// Where a rank is stuck in a call that a library might let go, it does not.
fn hold(model: &Model, library: Library, end: &End, schedule: &mut Schedule) {
    for (steps, returned) in model.lanes.iter().zip(&end.returned) {
        let Some(step) = steps.get(*returned as usize) else { continue };
        for awaited in &step.waits {
            let place = match awaited {
                Awaited::Send(send) => {
                    let post = &model.sends[*send as usize];
                    let is_free = library.sends == Sends::Free && post.mode == Mode::Standard;
                    (is_free && !end.matched[*send as usize]).then_some(post.place)
                }
                Awaited::Part(part) => (library.members == Members::Free).then_some(model.parts[*part as usize].place),
                Awaited::Receive(_) => None,
            };
            schedule.held.extend(place.map(|place| (place.lane, place.event)));
        }
    }
}
