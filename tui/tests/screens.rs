//! Whole screens, as a user sees them, after keys that a user presses.

mod scenes;

use insta::assert_snapshot;
use tui::{Keys, Options, Picture, Recording, picture, screen};

fn seen(recording: Recording, width: u16, height: u16, keys: &str) -> String {
    screen(recording, Options::default(), &Picture { width, height, keys: keys.parse().unwrap() }).unwrap()
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

/// All of a help that does not fit is there to be scrolled to, at any size.
#[test]
fn the_help_can_be_scrolled_where_it_does_not_fit() {
    assert_snapshot!(seen(scenes::works(), 80, 24, "?<PgDn><Down>"));
    for (width, height) in [(80, 24), (40, 12), (20, 5)] {
        let first = seen(scenes::works(), width, height, "?");
        let last = seen(scenes::works(), width, height, "?<End>");
        assert!(first.contains("← →  h") && !last.contains("← →  h") && last.contains("search "), "{first}{last}");
        assert_eq!(seen(scenes::works(), width, height, "?<End><Home>"), first);
        assert_eq!(seen(scenes::works(), width, height, "?<End>x"), seen(scenes::works(), width, height, ""));
    }
}

#[test]
fn the_rest_of_the_details_can_be_scrolled_to() {
    let above = seen(scenes::works(), 80, 24, "/waitall\n<Esc>");
    assert!(above.contains("more d") && !above.contains("from rank 1: MPI_Isend"), "{above}");
    let below = seen(scenes::works(), 80, 24, "/waitall\n<Esc>dd");
    assert!(below.contains("from rank 1: MPI_Isend"), "{below}");
    assert_snapshot!(below);
    let next = seen(scenes::works(), 80, 24, "/waitall\n<Esc>ddnp");
    assert_eq!(next, above, "another call is read from its first line on");
}

#[test]
fn a_long_finding_can_be_scrolled() {
    assert_snapshot!(seen(scenes::hangs(), 60, 20, "fd"));
}

#[test]
fn tiny_screens() {
    assert_snapshot!(seen(scenes::hangs(), 40, 12, ""));
    assert_snapshot!(seen(scenes::hangs(), 20, 5, ""));
}

#[test]
fn a_run_that_goes_on() {
    let screen = seen(scenes::still_running(3000), 100, 30, "");
    assert!(screen.contains("in it for 3.000 s so far") && !screen.contains("never returned"), "{screen}");
    assert_snapshot!(screen);
}

/// Numbers stand so that nobody takes them for the beginning of the next call's name.
#[test]
fn a_finding_about_a_call_too_short_to_be_drawn() {
    for (width, height) in [(100, 30), (80, 24), (80, 12)] {
        let screen = seen(scenes::lost_sends(), width, height, "0");
        assert!(!screen.contains("1Finalize") && !screen.contains("2Finalize"), "{screen}");
        assert!(screen.lines().any(|line| line.contains("▏Finalize")), "{screen}");
    }
    assert_snapshot!(seen(scenes::lost_sends(), 100, 30, "0"));
}

#[test]
fn messages_that_are_not_drawn_are_spoken_of() {
    let too_many = seen(scenes::many(3, 400), 100, 30, "");
    assert!(too_many.contains("too many messages to draw: zoom in"), "{too_many}");
    let no_room = seen(scenes::many(8, 1), 80, 24, "");
    assert!(no_room.contains("messages of the selected call only"), "{no_room}");
    let hidden = seen(scenes::works(), 120, 36, "m");
    assert!(hidden.contains("messages hidden: m shows them"), "{hidden}");
    let none = seen(scenes::lost_sends(), 120, 36, "");
    assert!(!none.contains(" messages "), "{none}");
}

/// Nothing on the first line and among the keys is cut in its midst.
#[test]
fn what_finds_no_room_is_left_out_whole() {
    for width in 20..140 {
        let screen = seen(scenes::hangs(), width, 24, "");
        let header = screen.lines().next().unwrap();
        let parts = ["✗ 2 errors", "▲ 1 warning", "4 calls never returned", "4 ranks", "60.00 s", "41 calls"];
        let rest = parts.iter().fold(header.to_owned(), |rest, part| rest.replacen(part, "", 1));
        assert_eq!(rest.split_whitespace().count(), 1, "{width}: {header}");
        let keys = screen.lines().last().unwrap();
        assert!(
            ["help", "quit", "rank", "partner", "search", "findings", "call", "zoom", "pan"].iter().any(|k| keys.ends_with(k))
        );
    }
    let standard = seen(scenes::hangs(), 80, 24, "");
    assert!(["/ search", "q quit", "f 3 findings"].iter().all(|hint| standard.contains(hint)), "{standard}");
}

#[test]
fn a_key_without_meaning_is_no_picture() {
    let of = |keys: &str| Picture { width: 80, height: 24, keys: keys.parse().unwrap() };
    let error = screen(scenes::works(), Options::default(), &of("y")).unwrap_err();
    assert_eq!(error.to_string(), "the key y does nothing there; ? lists the keys");
    assert!(screen(scenes::works(), Options::default(), &of("/y<Esc>")).is_ok(), "here it is a letter");
}

#[test]
fn ascii_only() {
    let options = Options { ascii_only: true, no_colors: true };
    let text = screen(scenes::hangs(), options, &Picture { width: 120, height: 36, keys: "g".parse().unwrap() }).unwrap();
    assert!(text.is_ascii());
    assert_snapshot!(text);
}

#[test]
fn a_picture_has_colours_only_if_wanted() {
    let wanted = Picture { width: 120, height: 36, keys: Keys::default() };
    let colored = picture(scenes::hangs(), Options::default(), &wanted).unwrap();
    let plain = picture(scenes::hangs(), Options { no_colors: true, ..Options::default() }, &wanted).unwrap();
    let orange = "#ffaf00";
    assert!(colored.contains(orange) && !plain.contains(orange));
    assert!(colored.starts_with("<svg ") && colored.ends_with("</svg>\n"));
    assert!(colored.contains(">MPI_Recv<"));
}
