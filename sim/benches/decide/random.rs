//! Numbers that are the same in every run.

/// A generator of Marsaglia's xorshift kind.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below another one.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).expect("31 bits") % limit
    }

    /// Three different variables, each as it is or not.
    pub fn clause(&mut self, variables: usize) -> Vec<(usize, bool)> {
        let mut literals: Vec<(usize, bool)> = Vec::new();
        while literals.len() < 3 {
            let variable = self.below(variables);
            if literals.iter().all(|(other, _)| *other != variable) {
                literals.push((variable, self.below(2) == 0));
            }
        }
        literals
    }
}
