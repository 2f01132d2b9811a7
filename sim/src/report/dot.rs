//! The wait-for graphs of the deadlocks in the language of Graphviz: `mpisim check --format dot | dot -Tsvg`.

use std::fmt::Write as _;

use super::graph::Graph;
use super::{Subject, ranks, severity_name};

/// One cluster a deadlock. A dashed arrow: another rank would do as well.
#[must_use]
pub fn render(subject: &Subject) -> String {
    let mut out = "digraph waits {\n    graph [fontname=\"sans-serif\", labeljust=l];\n".to_owned();
    out += "    node [fontname=\"sans-serif\", shape=box, style=rounded];\n    edge [color=\"#b02a2a\"];\n";
    let findings = subject.report.findings.iter().filter(|finding| finding.dismissed.is_none() && !finding.waits.is_empty());
    for (number, finding) in findings.enumerate() {
        let graph = Graph::of(subject, finding);
        let title = format!("{}[{}]: {}", severity_name(finding.severity), finding.rule.name, finding.title);
        let _ = writeln!(out, "    subgraph cluster_{number} {{\n        label={};", quoted(&[title]));
        for (at, node) in graph.nodes.iter().enumerate() {
            let mut lines = vec![ranks::list(&node.ranks)];
            lines.extend(node.lines.iter().cloned());
            let look = if node.waits { "" } else { ", style=\"rounded,dashed\"" };
            let _ = writeln!(out, "        n{number}_{at} [label={}{look}];", quoted(&lines));
        }
        for edge in &graph.edges {
            let look = if edge.any { " [style=dashed]" } else { "" };
            let _ = writeln!(out, "        n{number}_{} -> n{number}_{}{look};", edge.from, edge.to);
        }
        out += "    }\n";
    }
    out + "}\n"
}

/// Lines as a string of the language, each with a line of its own.
fn quoted(lines: &[String]) -> String {
    let escaped: Vec<String> = lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", escaped.join("\\n"))
}
