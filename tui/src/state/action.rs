//! What a user can ask for, in the words of the viewer and not of a keyboard.

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the one before.
    Previous,
    /// To the one after.
    Next,
}

/// What a line of text is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A part of a function's name.
    Search,
    /// A rank.
    Rank,
}

/// One wish of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look closer, around a column or else around the selected call.
    ZoomIn(Option<u16>),
    /// Look from further away, likewise.
    ZoomOut(Option<u16>),
    /// See the whole trace.
    ZoomAll,
    /// Fill the screen with the selected call.
    ZoomCall,
    /// Move by an eighth of the screen.
    Pan(Step),
    /// Move by so many columns, as one drags.
    Drag(i32),
    /// Select a call at the same time, so many lanes further down.
    Lanes(i64),
    /// Select a call at the same time, so many screens further down.
    Pages(i64),
    /// Scroll by so many lanes and leave the selection.
    Scroll(i64),
    /// Select the call before or after; while there is a search, the match before or after.
    Call(Step),
    /// Select the lane's first or last call.
    Edge(Step),
    /// Select what is drawn in a row and a column of the timeline.
    Click {
        /// The lane, counted from the top of the screen.
        lane: usize,
        /// The column of the timeline.
        column: u16,
    },
    /// Move the middle of the screen to this share of the trace, in thousandths.
    Overview(u16),
    /// Select the partner of the selected call; the next time, its next partner.
    Partner,
    /// Go to the finding of this number.
    Finding(usize),
    /// Go to the finding before or after.
    Findings(Step),
    /// Enter or leave the list of findings.
    Focus,
    /// Scroll the text that is read by so many lines: the help, the chosen finding, or else the selected call.
    Read(i64),
    /// Scroll the text about the selected call by so many lines.
    ReadCall(i64),
    /// Leave whatever is open: help, prompt, list, search; if nothing is, the viewer.
    Back,
    /// Ask for a line of text.
    Ask(Prompt),
    /// Add a letter to it.
    Type(char),
    /// Take a letter away.
    Erase,
    /// Take the text as it is.
    Accept,
    /// Show or hide all messages.
    Messages,
    /// Show or hide the help.
    Help,
    /// Read the trace again, which may have grown.
    Reload,
    /// Give the terminal to the shell for a while.
    Suspend,
    /// Leave the viewer.
    Quit,
}

/// What a wish needs that the state cannot do: whoever runs the viewer does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Read the trace again, and call [`State::reload`](super::State::reload).
    Reload,
    /// Stop, and go on later.
    Suspend,
}
