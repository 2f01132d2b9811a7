//! What is looked at and from where: the recording, the stretch of time, the lanes on the screen, the selected call.
//!
//! [`State::update`] takes one wish of the user at a time and draws nothing; the same wishes lead to the same state. How many lanes
//! and columns the screen has is told by [`State::resize`].

mod action;
mod columns;
mod details;
mod index;
mod kind;
mod links;
mod locations;
mod moves;
mod reload;
mod scroll;
mod search;
#[cfg(test)]
mod tests;
mod window;

use sim::{Place, Report};
use traces::{Call, Event, Lane, Trace};

pub use action::{Action, Prompt, Request, Step};
pub use columns::{Column, columns, events_in, shown_end_ns};
pub use details::Details;
pub use index::{Index, hung};
pub use kind::Kind;
pub use links::{Links, Part, Partner};
pub use scroll::Scroll;
pub use search::Search;
pub use window::Window;

use crate::{Located, Recording};
use locations::Locations;

/// Everything that decides what is on the screen, but the size of the screen and the style.
pub struct State {
    /// What to call what is looked at.
    pub title: String,
    /// The calls that are looked at.
    pub trace: Trace,
    /// What the checker said of them.
    pub report: Report,
    /// Whether the run goes on, as far as is known.
    pub running: bool,
    /// Where the calls stand in the program.
    locations: Locations,
    /// What is computed once of its trace.
    pub index: Index,
    /// What is computed once of its report.
    pub links: Links,
    /// The stretch of time on the screen.
    pub window: Window,
    /// The first lane on the screen.
    pub top: usize,
    /// How many lanes the screen has room for.
    pub rows: usize,
    /// How many columns the timeline has.
    pub columns: u16,
    /// The selected call; None only if there are no calls at all.
    pub selected: Option<Place>,
    /// The time that moving over lanes keeps.
    at_ns: u64,
    /// The call whose partners are visited in turn, and which one is next.
    tour: Option<(Place, usize)>,
    /// The finding that was gone to last.
    pub finding: Option<usize>,
    /// Whether keys go to the list of findings.
    pub in_findings: bool,
    /// The text that is being asked for.
    pub prompt: Option<(Prompt, String)>,
    /// What was searched for.
    pub search: Option<Search>,
    /// Whether all messages are drawn, not only those of the selected call.
    pub all_messages: bool,
    /// Whether the help is open.
    pub help: bool,
    /// How far the help is scrolled.
    pub help_text: Scroll,
    /// How far the text about the selected call is scrolled.
    pub call_text: Scroll,
    /// How far the text of the chosen finding is scrolled.
    pub finding_text: Scroll,
    /// Something to tell the user until the next action.
    pub notice: Option<String>,
    /// What the user wishes that the state cannot do.
    pub request: Option<Request>,
    /// Whether the user has had enough.
    pub done: bool,
}

impl State {
    /// A look at the whole of a recording; at its first finding, if it has one.
    pub fn new(recording: Recording) -> State {
        let Recording { title, trace, report, running, locate } = recording;
        let index = Index::of(&trace);
        let links = Links::of(&report, &trace);
        let mut state = State {
            window: Window::whole(index.extent_ns),
            index,
            links,
            top: 0,
            rows: 1,
            columns: 1,
            selected: None,
            at_ns: 0,
            tour: None,
            finding: None,
            in_findings: false,
            prompt: None,
            search: None,
            all_messages: true,
            help: false,
            help_text: Scroll::default(),
            call_text: Scroll::default(),
            finding_text: Scroll::default(),
            notice: None,
            request: None,
            done: false,
            title,
            trace,
            report,
            running,
            locations: Locations::new(locate),
        };
        let first = state.lanes().iter().position(|lane| !lane.events.is_empty());
        if let Some(lane) = first {
            state.select(place(lane, 0));
        }
        if let Some(place) = state.primary(0) {
            state.finding = Some(0);
            state.top = place.lane as usize;
            state.select(place);
        }
        state
    }

    /// Does what the user wishes.
    pub fn update(&mut self, action: Action) {
        self.notice = None;
        let before = (self.selected, self.finding, self.help);
        self.obey(action);
        if self.selected != before.0 {
            self.call_text.top = 0;
        }
        if self.finding != before.1 {
            self.finding_text.top = 0;
        }
        if self.help != before.2 {
            self.help_text.top = 0;
        }
    }

    fn obey(&mut self, action: Action) {
        match action {
            Action::ZoomIn(column) => self.zoom(column, 2, 3),
            Action::ZoomOut(column) => self.zoom(column, 3, 2),
            Action::ZoomAll => self.window = Window::whole(self.window.extent_ns),
            Action::ZoomCall => self.zoom_call(),
            Action::Pan(step) => self.pan(step),
            Action::Drag(columns) => self.drag(columns),
            Action::Lanes(by) => self.move_lanes(by),
            Action::Pages(by) => self.move_lanes(by * i64::try_from(self.rows.max(2) - 1).unwrap_or(1)),
            Action::Scroll(by) => self.scroll(by),
            Action::Call(step) => self.step_call(step),
            Action::Edge(step) => self.edge(step),
            Action::Click { lane, column } => self.click(lane, column),
            Action::Overview(share) => self.overview(share),
            Action::Partner => self.visit_partner(),
            Action::Finding(number) => self.go_to_finding(number),
            Action::Findings(step) => self.step_finding(step),
            Action::Focus => self.focus(),
            Action::Back => self.back(),
            Action::Ask(prompt) => self.prompt = Some((prompt, String::new())),
            Action::Type(letter) => self.edit(|text| text.push(letter)),
            Action::Erase => self.edit(|text| {
                text.pop();
            }),
            Action::Accept => self.accept(),
            Action::Messages => self.all_messages = !self.all_messages,
            Action::Help => self.help = !self.help,
            Action::Read(lines) => self.read(lines),
            Action::ReadCall(lines) => self.call_text.by(lines),
            Action::Reload => self.request = Some(Request::Reload),
            Action::Suspend => self.request = Some(Request::Suspend),
            Action::Quit => self.done = true,
        }
    }

    /// Tells how many lanes and columns the screen has. What is seen stays: the stretch of time, and the first lane.
    pub fn resize(&mut self, rows: usize, columns: u16) {
        self.rows = rows.max(1);
        self.columns = columns.max(1);
        self.top = self.top.min(self.lanes().len().saturating_sub(self.rows));
    }

    /// Whether keys scroll the text of the finding, and not that of the call.
    pub fn reads_finding(&self) -> bool {
        self.in_findings || self.call_text.end == 0
    }

    /// What to say of a call that has not returned.
    pub fn without_return(&self) -> &'static str {
        if self.running { "not returned yet" } else { "never returned" }
    }

    /// The lanes of the trace.
    pub fn lanes(&self) -> &[Lane] {
        &self.trace.lanes
    }

    /// The event at a place. Places come from the trace itself or were held against it.
    pub fn event(&self, place: Place) -> &Event {
        &self.lanes()[place.lane as usize].events[place.event as usize]
    }

    /// The source line of a call, or its address where there is none, and what led there; None if nothing is known of it.
    pub fn located(&self, call: &Call) -> Option<Located> {
        call.frame().map(|frame| self.locations.of(&self.trace, frame))
    }

    /// The source line of a call.
    pub fn location(&self, call: &Call) -> Option<String> {
        self.located(call).map(|located| located.line)
    }

    /// The kind of the call at a place.
    pub fn kind(&self, place: Place) -> Kind {
        self.index.kind(self.event(place))
    }

    /// When the call at a place ends on the screen.
    pub fn shown_end_ns(&self, place: Place) -> u64 {
        shown_end_ns(&self.lanes()[place.lane as usize], place.event as usize, self.index.extent_ns)
    }

    /// What to call a lane: its rank, with its thread if that is not the first.
    pub fn lane_name(&self, lane: usize) -> String {
        let lane = &self.lanes()[lane];
        match (lane.rank, lane.thread) {
            (Some(rank), 0) => rank.to_string(),
            (Some(rank), thread) => format!("{rank}.{thread}"),
            (None, _) => {
                let process = self.trace.processes.get(lane.process as usize);
                process.map_or_else(|| "-".to_owned(), |p| format!("pid {}", p.pid))
            }
        }
    }

    /// How wide the column of lane names is: the longest name, a mark, and air.
    pub fn name_width(&self) -> u16 {
        /// What the word above the names needs.
        const TITLE: usize = "rank".len();
        let longest = (0..self.lanes().len()).rev().take(64).map(|lane| self.lane_name(lane).len()).max();
        u16::try_from(longest.unwrap_or(0).max(TITLE)).unwrap_or(u16::MAX - 5) + 5
    }

    /// What is missing of the trace, or why the check of it may have missed something.
    pub fn warning(&self) -> Option<String> {
        let (list, what) = match (&self.trace.damage[..], &self.report.caveats[..]) {
            ([], []) => return None,
            ([], caveats) => (caveats, "the check may be incomplete"),
            (damage, _) => (damage, "the trace is damaged"),
        };
        let more = if list.len() > 1 { format!("  (and {} more)", list.len() - 1) } else { String::new() };
        Some(format!("{what}: {}{more}", list[0]))
    }

    /// The call that a finding is about first of all, if the trace has it.
    pub fn primary(&self, finding: usize) -> Option<Place> {
        let labels = &self.report.findings.get(finding)?.labels;
        let label = labels.iter().find(|l| l.primary).or(labels.first())?;
        Some(label.place).filter(|&place| self.exists(place))
    }

    /// The lanes on the screen.
    pub fn visible_lanes(&self) -> std::ops::Range<usize> {
        self.top..(self.top + self.rows).min(self.lanes().len())
    }

    /// The calls that belong to the selected one.
    pub fn partners(&self) -> Vec<Partner> {
        self.selected.map_or_else(Vec::new, |place| self.links.partners(&self.report, place))
    }

    /// The messages that begin or end on the screen, as numbers in the report; None if they are more than `limit`.
    pub fn messages_on_screen(&self, limit: usize) -> Option<Vec<u32>> {
        let mut numbers = Vec::new();
        for lane in self.visible_lanes() {
            let events = events_in(&self.lanes()[lane], &self.window);
            if events.is_empty() {
                continue;
            }
            let (first, last) = (place(lane, events.start), place(lane, events.end - 1));
            let links = self.links.sent_by(first, last).chain(self.links.received_by(first, last));
            numbers.extend(links.take(2 * limit + 1));
            if numbers.len() > 2 * limit {
                return None;
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        (numbers.len() <= limit).then_some(numbers)
    }

    /// The call before `place` in its lane that made a request which `place` waits for.
    pub fn maker_of_request(&self, before: Place, request: i64) -> Option<Place> {
        /// Far enough for any loop body, and no delay to be felt.
        const EVENTS_BACK_MAX: usize = 20_000;
        let trace = &self.trace;
        let events = &self.lanes()[before.lane as usize].events[..before.event as usize];
        let from = events.len().saturating_sub(EVENTS_BACK_MAX);
        let found = events[from..].iter().rposition(|event| {
            let function = trace.call(event.call).function;
            let Some(outcome) = event.outcome else { return false };
            let results = function.parameters().iter().zip(&trace.outcome(outcome).results);
            results
                .filter(|(p, _)| p.kind == traces::Kind::Request)
                .any(|(_, value)| value.int() == Some(request) || value.ints().contains(&request))
        })?;
        Some(place(before.lane as usize, from + found))
    }
}

/// The place of an event of a lane.
pub fn place(lane: usize, event: usize) -> Place {
    let number = |n: usize| u32::try_from(n).expect("lanes and events of a lane are numbered in 32 bits");
    Place { lane: number(lane), event: number(event) }
}
