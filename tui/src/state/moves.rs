//! The moves: over time, over lanes, from call to call, to partners and to findings.

use sim::Place;

use super::{Action, Prompt, Search, State, Step, Window, place};

impl State {
    /// Selects a call without moving the screen.
    pub(super) fn select(&mut self, place: Place) {
        self.selected = Some(place);
        self.at_ns = self.event(place).start_ns;
    }

    /// Selects a call and brings it onto the screen.
    pub(super) fn show(&mut self, place: Place) {
        self.select(place);
        self.reveal_lane(place.lane as usize);
        self.reveal_time(place);
    }

    /// Scrolls just so far that a lane is on the screen; to its middle if it was far away.
    fn reveal_lane(&mut self, lane: usize) {
        if self.visible_lanes().contains(&lane) {
            return;
        }
        let (near, far) = (self.rows, self.lanes().len().saturating_sub(self.rows));
        self.top = if lane < self.top && self.top - lane <= near {
            lane
        } else if lane >= self.top && lane - self.top <= 2 * near {
            lane + 1 - self.rows
        } else {
            lane.saturating_sub(self.rows / 2)
        };
        self.top = self.top.min(far);
    }

    /// Moves the screen in time if no part of a call is on it.
    fn reveal_time(&mut self, place: Place) {
        let (start_ns, end_ns) = (self.event(place).start_ns, self.shown_end_ns(place));
        if end_ns <= self.window.start_ns || start_ns >= self.window.end_ns() {
            self.window.centre(start_ns);
        }
    }

    pub(super) fn zoom(&mut self, column: Option<u16>, numerator: u64, denominator: u64) {
        let around_ns = match column {
            Some(column) => self.window.time_at(column.min(self.columns), self.columns),
            None => self.focus_ns(),
        };
        self.window.zoom(around_ns, numerator, denominator);
    }

    /// The time that zooming by key keeps: the selected call's if it is on the screen, else the screen's middle.
    fn focus_ns(&self) -> u64 {
        let visible = |place: &Place| self.visible_lanes().contains(&(place.lane as usize));
        let start_ns = self.selected.filter(visible).map(|place| self.event(place).start_ns);
        start_ns.filter(|&t| self.window.contains(t)).unwrap_or(self.window.start_ns + self.window.span_ns / 2)
    }

    pub(super) fn zoom_call(&mut self) {
        if let Some(place) = self.selected {
            self.window.frame(self.event(place).start_ns, self.shown_end_ns(place));
            self.reveal_lane(place.lane as usize);
        }
    }

    pub(super) fn pan(&mut self, step: Step) {
        let eighth_ns = i64::try_from(self.window.span_ns / 8).unwrap_or(i64::MAX);
        self.window.pan(if step == Step::Next { eighth_ns } else { -eighth_ns });
    }

    pub(super) fn drag(&mut self, columns: i32) {
        let by_ns = i128::from(self.window.span_ns) * i128::from(columns) / i128::from(self.columns);
        self.window.pan(i64::try_from(by_ns).unwrap_or(0));
    }

    pub(super) fn scroll(&mut self, by: i64) {
        let top = i64::try_from(self.top).unwrap_or(i64::MAX).saturating_add(by).max(0);
        self.top = usize::try_from(top).unwrap_or(0).min(self.lanes().len().saturating_sub(self.rows));
    }

    pub(super) fn move_lanes(&mut self, by: i64) {
        if self.in_findings {
            return self.step_finding(if by < 0 { Step::Previous } else { Step::Next });
        }
        let Some(current) = self.selected else { return };
        let at_ns = self.at_ns;
        let last = i64::try_from(self.lanes().len()).unwrap_or(i64::MAX) - 1;
        let target = (i64::from(current.lane) + by).clamp(0, last);
        let target = usize::try_from(target).unwrap_or(0);
        let busy = |lane: &usize| !self.lanes()[*lane].events.is_empty();
        let found = if by < 0 {
            (0..=target).rev().find(busy).or_else(|| (target..current.lane as usize).find(busy))
        } else {
            (target..self.lanes().len()).find(busy).or_else(|| (0..target).rev().find(busy))
        };
        if let Some(lane) = found {
            self.selected = Some(place(lane, self.event_at(lane, at_ns)));
            self.reveal_lane(lane);
        }
    }

    /// The call of a lane at a time: the one that goes on then, else the last before it, else the first.
    fn event_at(&self, lane: usize, time_ns: u64) -> usize {
        self.lanes()[lane].events.partition_point(|e| e.start_ns <= time_ns).saturating_sub(1)
    }

    pub(super) fn step_call(&mut self, step: Step) {
        let Some(current) = self.selected else { return };
        if let Some(search) = &self.search {
            match search.step(&self.trace, current, step) {
                Some(place) => self.show(place),
                None => self.notice = Some(format!("no other call matches '{}'", search.text)),
            }
            return;
        }
        let events = self.lanes()[current.lane as usize].events.len();
        let event = match step {
            Step::Previous => (current.event as usize).checked_sub(1),
            Step::Next => Some(current.event as usize + 1).filter(|&e| e < events),
        };
        match event {
            Some(event) => self.show(place(current.lane as usize, event)),
            None if step == Step::Next => self.notice = Some("this is the last call of the rank".to_owned()),
            None => self.notice = Some("this is the first call of the rank".to_owned()),
        }
    }

    pub(super) fn edge(&mut self, step: Step) {
        let Some(current) = self.selected else { return };
        let last = self.lanes()[current.lane as usize].events.len() - 1;
        self.show(place(current.lane as usize, if step == Step::Previous { 0 } else { last }));
    }

    pub(super) fn click(&mut self, lane: usize, column: u16) {
        let lane = self.top + lane;
        let Some(events) = self.lanes().get(lane).map(|l| &l.events).filter(|e| !e.is_empty()) else { return };
        let columns = super::columns(&self.lanes()[lane], lane, &self.index, &self.window, self.columns);
        let event = match columns.get(usize::from(column)) {
            Some(super::Column::Call { event, .. } | super::Column::Several { event, .. }) => *event,
            _ => self.event_at(lane, self.window.time_at(column, self.columns)).min(events.len() - 1),
        };
        self.in_findings = false;
        self.selected = Some(place(lane, event));
        self.at_ns = self.window.time_at(column, self.columns).max(self.window.start_ns);
    }

    pub(super) fn overview(&mut self, thousandths: u16) {
        let time_ns = u128::from(self.window.extent_ns) * u128::from(thousandths) / 1000;
        self.window.centre(u64::try_from(time_ns).unwrap_or(u64::MAX));
    }

    /// Goes from the call that the tour began at to its next partner, and back to it after the last.
    pub(super) fn visit_partner(&mut self) {
        let Some(current) = self.selected else { return };
        let (origin, next) = self.tour.filter(|&(origin, at)| self.stop(origin, at) == Some(current)).unwrap_or((current, 0));
        match self.stop(origin, next + 1) {
            Some(place) => {
                self.show(place);
                self.tour = Some((origin, next + 1));
            }
            None if next > 0 => {
                self.show(origin);
                self.tour = None;
            }
            None => self.notice = Some("no other call is known to belong to this one".to_owned()),
        }
    }

    /// The stops of a tour: the call itself, its partners, and where it has none the other calls of its finding.
    fn stop(&self, origin: Place, at: usize) -> Option<Place> {
        let Some(at) = at.checked_sub(1) else { return Some(origin) };
        let partners = self.links.partners(&self.report, origin);
        if !partners.is_empty() {
            return partners.get(at).map(|p| p.place);
        }
        let mark = self.links.marks(origin, origin).first()?;
        let labels = &self.report.findings[mark.finding].labels;
        labels.iter().map(|l| l.place).filter(|&p| p != origin && self.exists(p)).nth(at)
    }

    /// Whether the trace has such a call: places of a report need not be.
    pub fn exists(&self, place: Place) -> bool {
        self.lanes().get(place.lane as usize).is_some_and(|l| (place.event as usize) < l.events.len())
    }

    pub(super) fn go_to_finding(&mut self, number: usize) {
        let Some(finding) = self.report.findings.get(number) else {
            self.notice = Some(format!("there is no finding {}", number + 1));
            return;
        };
        let places = finding.labels.iter().map(|l| l.place).filter(|&p| self.exists(p));
        let places: Vec<Place> = places.collect();
        self.finding = Some(number);
        let Some(primary) = self.primary(number) else { return };
        self.show(primary);
        self.tour = None;
        self.frame_if_tiny(primary, &places);
    }

    /// Zooms to the calls of a finding where the screen is so wide that the first of them would be a dot.
    fn frame_if_tiny(&mut self, primary: Place, places: &[Place]) {
        const COLUMNS_MIN: u64 = 4;
        let (start_ns, end_ns) = (self.event(primary).start_ns, self.shown_end_ns(primary));
        if (end_ns - start_ns).saturating_mul(u64::from(self.columns)) >= self.window.span_ns * COLUMNS_MIN {
            return;
        }
        let first_ns = places.iter().map(|&p| self.event(p).start_ns).min().unwrap_or(start_ns);
        let last_ns = places.iter().map(|&p| self.shown_end_ns(p)).max().unwrap_or(end_ns);
        let mut closer = Window { ..self.window };
        closer.frame(first_ns, last_ns);
        if closer.span_ns < self.window.span_ns {
            self.window = closer;
        }
    }

    pub(super) fn step_finding(&mut self, step: Step) {
        let count = self.report.findings.len();
        let number = match (self.finding, step) {
            (None, Step::Next) => Some(0),
            (None, Step::Previous) => count.checked_sub(1),
            (Some(number), Step::Next) => Some((number + 1).min(count.saturating_sub(1))),
            (Some(number), Step::Previous) => Some(number.saturating_sub(1)),
        };
        if let Some(number) = number {
            self.go_to_finding(number);
        }
    }

    pub(super) fn focus(&mut self) {
        if self.report.findings.is_empty() {
            self.notice = Some("there are no findings".to_owned());
            return;
        }
        self.in_findings = !self.in_findings;
        if self.in_findings {
            self.go_to_finding(self.finding.unwrap_or(0));
        }
    }

    pub(super) fn read(&mut self, lines: i64) {
        let finding = self.reads_finding();
        match (self.help, finding) {
            (true, _) => self.help_text.by(lines),
            (false, true) => self.finding_text.by(lines),
            (false, false) => self.call_text.by(lines),
        }
    }

    pub(super) fn back(&mut self) {
        if self.help {
            self.help = false;
        } else if self.prompt.is_some() {
            self.prompt = None;
        } else if self.in_findings {
            self.in_findings = false;
        } else if self.search.is_some() {
            self.search = None;
        } else {
            self.update(Action::Quit);
        }
    }

    pub(super) fn edit(&mut self, change: impl FnOnce(&mut String)) {
        if let Some((_, text)) = &mut self.prompt {
            change(text);
        }
    }

    pub(super) fn accept(&mut self) {
        match self.prompt.take() {
            Some((_, text)) if text.is_empty() => self.search = None,
            Some((Prompt::Search, text)) => self.search_for(text),
            Some((Prompt::Rank, text)) => self.go_to_rank(&text),
            None => self.in_findings = false,
        }
    }

    fn search_for(&mut self, text: String) {
        let search = Search::new(text, &self.trace);
        let Some(current) = self.selected else { return };
        match search.at_or_after(&self.trace, current) {
            Some(place) => {
                self.show(place);
                self.search = Some(search);
            }
            None => self.notice = Some(format!("no call matches '{}'", search.text)),
        }
    }

    fn go_to_rank(&mut self, text: &str) {
        let lanes = text.trim().parse().ok().map(|rank| self.trace.lanes_of(rank));
        let busy = |lane: &usize| !self.lanes()[*lane].events.is_empty();
        match lanes.and_then(|mut lanes| lanes.find(busy)) {
            Some(lane) => {
                let at_ns = self.at_ns;
                self.selected = Some(place(lane, self.event_at(lane, at_ns)));
                self.reveal_lane(lane);
            }
            None => self.notice = Some(format!("there is no rank '{text}'")),
        }
    }
}
