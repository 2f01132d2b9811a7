//! Whole screens, as a user sees them, after keys that a user presses.

mod scenes;

use insta::assert_snapshot;
use tui::{Options, Picture, Recording, picture, screen};

fn seen(recording: Recording, width: u16, height: u16, keys: &str) -> String {
    screen(recording, Options::default(), &Picture { width, height, keys: keys.to_owned() })
}

#[test]
fn a_run_that_hung() {
    assert_snapshot!(seen(scenes::hangs(), 120, 36, ""));
}

#[test]
fn a_run_that_hung_on_a_small_screen() {
    assert_snapshot!(seen(scenes::hangs(), 80, 24, ""));
}

#[test]
fn a_run_that_hung_on_a_wide_screen() {
    assert_snapshot!(seen(scenes::hangs(), 170, 44, "2"));
}

#[test]
fn the_findings_on_a_small_screen() {
    assert_snapshot!(seen(scenes::hangs(), 80, 24, "fjj"));
}

#[test]
fn a_damaged_trace_says_so() {
    assert_snapshot!(seen(scenes::damaged(), 100, 30, ""));
}

#[test]
fn an_arrow_to_the_partner() {
    assert_snapshot!(seen(scenes::works(), 120, 36, "nnnnnn"));
}

#[test]
fn zoomed_to_a_call_that_waits() {
    assert_snapshot!(seen(scenes::works(), 120, 36, "nnnnnnnz"));
}

#[test]
fn a_partner_beyond_the_edge() {
    assert_snapshot!(seen(scenes::many(10_000, 2), 100, 24, "nnnz"));
}

#[test]
fn ten_thousand_ranks_from_far() {
    assert_snapshot!(seen(scenes::many(10_000, 2), 100, 30, "r7777\n"));
}

#[test]
fn many_short_calls() {
    assert_snapshot!(seen(scenes::many(3, 400), 100, 30, ""));
}

#[test]
fn a_search() {
    assert_snapshot!(seen(scenes::works(), 100, 30, "/waitall\nnn"));
}

#[test]
fn a_question() {
    assert_snapshot!(seen(scenes::works(), 80, 24, "/wait"));
}

#[test]
fn the_help() {
    assert_snapshot!(seen(scenes::works(), 120, 36, "?"));
}

#[test]
fn ascii_only() {
    let options = Options { ascii_only: true, no_colors: true };
    let text = screen(scenes::hangs(), options, &Picture { width: 120, height: 36, keys: "g".to_owned() });
    assert!(text.is_ascii());
    assert_snapshot!(text);
}

#[test]
fn a_picture_has_colours_only_if_wanted() {
    let wanted = Picture { width: 120, height: 36, keys: String::new() };
    let colored = picture(scenes::hangs(), Options::default(), &wanted);
    let plain = picture(scenes::hangs(), Options { no_colors: true, ..Options::default() }, &wanted);
    let orange = "#ffaf00";
    assert!(colored.contains(orange) && !plain.contains(orange));
    assert!(colored.starts_with("<svg ") && colored.ends_with("</svg>\n"));
    assert!(colored.contains(">MPI_Recv<"));
}
