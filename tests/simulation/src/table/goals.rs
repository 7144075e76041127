//! What is promised, and whether it held.

/// Promises, in the order in which they were looked at.
#[derive(Debug, Default)]
pub struct Goals(Vec<(String, bool)>);

impl Goals {
    /// Notes whether one held.
    pub fn note(&mut self, what: String, held: bool) {
        self.0.push((what, held));
    }

    /// Says each, and returns whether all held.
    pub fn conclude(&self, say: &mut dyn FnMut(&str)) -> bool {
        say("Promises");
        for (what, held) in &self.0 {
            say(&format!("  {:<13} {what}", if *held { "holds" } else { "DOES NOT HOLD" }));
        }
        let missed = self.0.iter().filter(|(_, held)| !held).count();
        say(&format!("{} looked at, {missed} missed", self.0.len()));
        missed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missed_is_missed() {
        let (mut goals, mut lines) = (Goals::default(), Vec::new());
        goals.note("a".into(), true);
        assert!(goals.conclude(&mut |_| ()));
        goals.note("b".into(), false);
        assert!(!goals.conclude(&mut |line| lines.push(line.to_owned())));
        assert!(lines.iter().any(|line| line.contains("DOES NOT HOLD b")));
    }
}
