//! Laws of the state: what holds after any wishes of any user.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use traces::{Event, TraceBuilder, mpi};

use super::window::SPAN_MIN_NS;
use super::*;
use crate::{Options, scenes};

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![Just(Step::Previous), Just(Step::Next)]
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        proptest::option::of(0u16..300).prop_map(Action::ZoomIn),
        proptest::option::of(0u16..300).prop_map(Action::ZoomOut),
        Just(Action::ZoomAll),
        Just(Action::ZoomCall),
        any_step().prop_map(Action::Pan),
        (-400i32..400).prop_map(Action::Drag),
        (-9i64..9).prop_map(Action::Lanes),
        (-3i64..3).prop_map(Action::Pages),
        (-9i64..9).prop_map(Action::Scroll),
        any_step().prop_map(Action::Call),
        any_step().prop_map(Action::Edge),
        (0usize..20, 0u16..300).prop_map(|(lane, column)| Action::Click { lane, column }),
        (0u16..=1000).prop_map(Action::Overview),
        Just(Action::Partner),
        (0usize..5).prop_map(Action::Finding),
        any_step().prop_map(Action::Findings),
        Just(Action::Focus),
        Just(Action::Ask(Prompt::Search)),
        Just(Action::Ask(Prompt::Rank)),
        prop_oneof![Just('r'), Just('2'), Just('?')].prop_map(Action::Type),
        Just(Action::Erase),
        Just(Action::Accept),
        Just(Action::Messages),
        (-9i64..9).prop_map(Action::Read),
        (-9i64..9).prop_map(Action::ReadCall),
        Just(Action::Help),
        Just(Action::Back),
    ]
}

fn drawn(state: &mut State, width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    crate::draw(&mut buffer, state, Options::default());
    buffer
}

proptest! {
    // Each case draws up to forty screens.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_one_does_stays_within_the_trace(
        actions in proptest::collection::vec(any_action(), 0..40),
        sizes in proptest::collection::vec((1u16..200, 1u16..60), 1..4),
        many in any::<bool>(),
    ) {
        let mut state = State::new(if many { scenes::many(40, 2) } else { scenes::damaged() });
        let sizes = sizes.into_iter().cycle();
        for (action, (width, height)) in actions.into_iter().zip(sizes) {
            drawn(&mut state, width, height);
            state.update(action);
            prop_assert!(state.window.end_ns() <= state.window.extent_ns);
            prop_assert!(state.window.span_ns >= SPAN_MIN_NS);
            prop_assert!(state.exists(state.selected.unwrap()));
            prop_assert!(state.top < state.lanes().len());
        }
        drawn(&mut state, 120, 36);
    }

    #[test]
    fn a_resize_keeps_the_stretch_of_time_and_the_first_rank(
        width in 40u16..200, height in 20u16..36, top in 0i64..40, zooms in 0usize..8,
    ) {
        let mut state = State::new(scenes::many(80, 1));
        drawn(&mut state, 120, 36);
        (0..zooms).for_each(|_| state.update(Action::ZoomIn(Some(50))));
        state.update(Action::Scroll(top));
        let before = (state.window, state.top);
        drawn(&mut state, width, height);
        prop_assert_eq!((state.window, state.top), before);
    }
}

proptest! {
    #[test]
    fn zooming_in_keeps_the_time_under_the_cursor(start in 0u64..1_000_000, span in SPAN_MIN_NS..1_000_000, column in 0u16..200) {
        let mut window = Window { start_ns: start, span_ns: span, extent_ns: 3_000_000 };
        let before_ns = window.time_at(column, 200);
        window.zoom(before_ns, 2, 3);
        prop_assert!((window.column_of(before_ns, 200) - i64::from(column)).abs() <= 1);
    }

    #[test]
    fn zooming_out_keeps_the_time_under_the_cursor_away_from_the_ends(column in 0u16..200, times in 1usize..5) {
        let mut window = Window { start_ns: 500_000_000, span_ns: 10_000, extent_ns: 1_000_000_000 };
        let before_ns = window.time_at(column, 200);
        (0..times).for_each(|_| window.zoom(before_ns, 3, 2));
        prop_assert!((window.column_of(before_ns, 200) - i64::from(column)).abs() <= 1);
    }

    #[test]
    fn times_and_columns_agree(start in 0u64..u64::MAX / 4, span in SPAN_MIN_NS..u64::MAX / 4, columns in 1u16..150) {
        let window = Window { start_ns: start, span_ns: span, extent_ns: u64::MAX };
        for column in 0..columns {
            let time_ns = window.time_at(column, columns);
            prop_assert!((i64::from(column) - 1..=i64::from(column)).contains(&window.column_of(time_ns, columns)));
        }
    }

    #[test]
    fn a_column_has_a_call_just_where_a_call_is(
        pieces in proptest::collection::vec((0u64..400, 0u64..400), 1..60),
        start in 0u64..8000, span in SPAN_MIN_NS..9000, columns in 1u16..90, never in any::<bool>(),
    ) {
        let trace = lane_of(&pieces, never);
        let (index, lane) = (Index::of(&trace), &trace.lanes[0]);
        let window = Window { start_ns: start, span_ns: span, extent_ns: u64::MAX };
        for (at, column) in (0..).zip(super::columns(lane, 0, &index, &window, columns)) {
            let from_ns = window.time_at(at, columns);
            let to_ns = window.time_at(at + 1, columns).max(from_ns + 1);
            let last = lane.events.len() - 1;
            let overlaps = |(number, e): (usize, &Event)| {
                let end_ns = if never && number == last { u64::MAX } else { e.end_ns().max(e.start_ns + 1) };
                e.start_ns < to_ns && end_ns > from_ns
            };
            let expected = lane.events.iter().enumerate().any(overlaps);
            let found = matches!(column, Column::Call { .. } | Column::Several { .. });
            prop_assert_eq!(found, expected, "column {} is {:?}", at, column);
        }
    }
}

/// A lane of calls after so much time that take so much time; the last may never return.
fn lane_of(pieces: &[(u64, u64)], never: bool) -> traces::Trace {
    let mut builder = TraceBuilder::with_ranks(1);
    for number in 0..pieces.len() {
        let returns = !(never && number + 1 == pieces.len());
        let function = if number % 3 == 0 { mpi::BARRIER } else { mpi::WTIME };
        builder.push(0, function, 1, &[], returns.then_some(&[]));
    }
    let mut trace = builder.finish();
    let mut now_ns = 0;
    for (event, &(gap_ns, duration_ns)) in trace.lanes[0].events.iter_mut().zip(pieces) {
        (event.start_ns, event.duration_ns) = (now_ns + gap_ns, duration_ns);
        now_ns = event.end_ns();
    }
    trace
}

#[test]
fn next_and_previous_are_opposites() {
    let mut state = State::new(scenes::works());
    drawn(&mut state, 120, 36);
    for _ in 0..10 {
        state.update(Action::Call(Step::Next));
    }
    let there = state.selected;
    state.update(Action::Call(Step::Next));
    state.update(Action::Call(Step::Previous));
    assert_eq!(state.selected, there);
}

#[test]
fn moving_over_ranks_keeps_the_time() {
    let mut state = State::new(scenes::works());
    drawn(&mut state, 120, 36);
    (0..7).for_each(|_| state.update(Action::Call(Step::Next)));
    let there = state.selected;
    state.update(Action::Lanes(3));
    assert_eq!(state.selected.unwrap().lane, 3);
    state.update(Action::Lanes(-3));
    assert_eq!(state.selected, there);
}

#[test]
fn a_tour_of_the_partners_comes_back() {
    let mut state = State::new(scenes::many(40, 2));
    drawn(&mut state, 120, 36);
    let waitall = (0..20).find(|&event| state.trace.call(state.event(place(0, event)).call).function == mpi::WAITALL);
    state.select(place(0, waitall.unwrap()));
    let origin = state.selected.unwrap();
    let mut lanes = Vec::new();
    for _ in 0..3 {
        state.update(Action::Partner);
        lanes.push(state.selected.unwrap().lane);
    }
    assert_eq!(lanes, [39, 1, 0], "both neighbours that sent, and back");
    assert_eq!(state.selected, Some(origin));
}

#[test]
fn a_finding_brings_its_call_onto_the_screen() {
    let mut state = State::new(scenes::hangs());
    drawn(&mut state, 120, 36);
    (0..30).for_each(|_| state.update(Action::ZoomIn(Some(0))));
    state.update(Action::Finding(2));
    let place = state.selected.unwrap();
    assert_eq!(state.primary(2), Some(place));
    assert!(state.window.contains(state.event(place).start_ns));
    assert!(state.visible_lanes().contains(&(place.lane as usize)));
}

#[test]
fn a_search_goes_round_all_ranks() {
    let mut state = State::new(scenes::hangs());
    drawn(&mut state, 120, 36);
    state.update(Action::Ask(Prompt::Search));
    "mpi_send".chars().for_each(|letter| state.update(Action::Type(letter)));
    state.update(Action::Accept);
    assert_eq!(state.selected.map(|p| p.lane), Some(1));
    let only = state.selected;
    state.update(Action::Call(Step::Next));
    assert_eq!((state.selected, state.notice.is_some()), (only, true));
    state.update(Action::Back);
    assert!(state.search.is_none() && !state.done);
}

#[test]
fn a_trace_that_is_read_again_is_looked_at_in_the_same_place() {
    let mut state = State::new(scenes::many(40, 2));
    drawn(&mut state, 120, 36);
    for action in [Action::Lanes(30), Action::Call(Step::Next), Action::ZoomCall, Action::Messages, Action::Reload] {
        state.update(action);
    }
    assert_eq!(state.request.take(), Some(Request::Reload));
    let stretch = |state: &State| (state.window.start_ns, state.window.span_ns, state.top, state.selected, state.all_messages);
    let before = stretch(&state);
    state.reload(scenes::many(40, 5));
    drawn(&mut state, 120, 36);
    assert_eq!(stretch(&state), before);
    assert!(state.notice.as_ref().unwrap().starts_with("read again: 720 calls more"), "{:?}", state.notice);
}

#[test]
fn who_looks_at_a_whole_run_sees_it_grow_and_end() {
    let mut state = State::new(scenes::still_running(1));
    drawn(&mut state, 120, 36);
    state.reload(scenes::hangs());
    assert_eq!((state.window.span_ns, state.running), (state.index.extent_ns, false));
    assert_eq!(state.notice.as_deref(), Some("read again: no more calls, 3 findings, and the run has ended"));
    state.reload(scenes::lost_sends());
    drawn(&mut state, 120, 36);
    assert!(state.exists(state.selected.unwrap()));
}

#[test]
fn a_trace_without_calls_can_be_looked_at() {
    let recording = crate::Recording {
        title: "empty".to_owned(),
        trace: traces::Trace::default(),
        report: sim::Report::default(),
        running: false,
        locate: Box::new(|_| None),
    };
    let mut state = State::new(recording);
    for action in [Action::Lanes(1), Action::Call(Step::Next), Action::ZoomCall, Action::Partner, Action::Focus] {
        state.update(action);
        drawn(&mut state, 80, 24);
    }
}

#[test]
fn a_report_about_calls_that_are_not_there_is_no_harm() {
    let mut recording = scenes::hangs();
    recording.trace.lanes.pop();
    recording.trace.lanes[2].events.pop();
    let mut state = State::new(recording);
    for number in 0..3 {
        state.update(Action::Finding(number));
        state.update(Action::Partner);
        drawn(&mut state, 120, 36);
    }
}

#[test]
fn a_source_line_is_looked_up_once() {
    let asked = std::rc::Rc::new(std::cell::Cell::new(0));
    let mut recording = scenes::works();
    let count = asked.clone();
    recording.locate = Box::new(move |_| {
        count.set(count.get() + 1);
        None
    });
    let state = State::new(recording);
    let call = &state.trace.calls[0];
    assert_eq!(state.location(call).as_deref(), Some("heat+0xc"));
    assert_eq!(state.location(call).as_deref(), Some("heat+0xc"));
    assert_eq!(asked.get(), 1);
}
