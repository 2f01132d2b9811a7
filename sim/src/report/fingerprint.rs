//! What makes two findings of two runs the same: the rule, and the calls by function and by the function of the program that they are in.
//!
//! Neither ranks nor line numbers count, so that a finding is known again on other numbers of ranks, and after an edit elsewhere in the file.

use xxhash_rust::xxh3::xxh3_64;

use super::Subject;
use crate::finding::{Finding, Label};

impl Subject<'_> {
    /// The fingerprint of a finding: 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self, finding: &Finding) -> String {
        let mut places: Vec<String> = finding.labels.iter().map(|label| self.place_text(label)).collect();
        places.sort_unstable();
        places.dedup();
        let text = format!("{}\n{}", finding.rule.name, places.join("\n"));
        format!("{:016x}", xxh3_64(text.as_bytes()))
    }

    /// `MPI_Recv in exchange, halo.c`. Of a path only the file's name, so that a checkout elsewhere makes no difference.
    fn place_text(&self, label: &Label) -> String {
        let name = self.call(label).map_or("", |call| call.function.name());
        let Some(location) = self.location(label) else { return name.to_owned() };
        let file = location.file.as_deref().unwrap_or(&location.object);
        let file = file.rsplit('/').next().unwrap_or_default();
        // Without debug information nothing but the address tells two places of a program apart.
        let inside = location.function.unwrap_or_else(|| format!("{:#x}", location.offset));
        format!("{name} in {inside}, {file}")
    }
}
