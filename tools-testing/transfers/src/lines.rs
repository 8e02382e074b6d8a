// SPDX-License-Identifier: GPL-2.0

//! Which CPUs hold which cache line.

use std::collections::HashMap;

/// How many CPUs there can be.
pub const CPUS: u32 = u64::BITS;

const LINE: u64 = 64;

/// The CPUs that hold each line, a bit each. A line that is not here was not accessed yet.
#[derive(Default)]
pub struct Lines(HashMap<u64, u64>);

impl Lines {
    /// A CPU reads or writes `size` bytes at a physical address. Returns how many lines move for it.
    pub fn access(&mut self, cpu: u32, address: u64, size: u64, writes: bool) -> u64 {
        let this = 1 << cpu;
        let lines = address / LINE..=(address + size - 1) / LINE;
        let moves = lines.filter(|line| {
            let holders = self.0.entry(*line).or_insert(this);
            let before = *holders;

            *holders = if writes { this } else { before | this };
            if writes {
                before & !this != 0
            } else {
                before & this == 0
            }
        });

        moves.count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(accesses: &[(u32, u64, bool)]) -> u64 {
        let mut lines = Lines::default();
        let moves = accesses
            .iter()
            .map(|&(cpu, address, writes)| lines.access(cpu, address, 8, writes));

        moves.sum()
    }

    #[test]
    fn what_one_cpu_accesses_does_not_move() {
        assert_eq!(
            moved(&[(0, 0, false), (0, 8, true), (0, 16, false), (0, 0, true)]),
            0
        );
    }

    #[test]
    fn a_ping_pong_moves_twice_a_turn() {
        // Each turn: the other CPU reads the line, and then writes it.
        let turns: Vec<_> = (0..10)
            .flat_map(|turn| [(turn % 2, 0, false), (turn % 2, 0, true)])
            .collect();

        assert_eq!(moved(&turns), 2 * (turns.len() as u64 / 2 - 1));
    }

    #[test]
    fn two_variables_in_a_line_move_it_and_in_two_lines_do_not() {
        let writes = |distance| -> Vec<_> {
            (0..10)
                .map(|turn| (turn % 2, u64::from(turn % 2) * distance, true))
                .collect()
        };

        assert_eq!(moved(&writes(8)), 9);
        assert_eq!(moved(&writes(64)), 0);
    }

    #[test]
    fn readers_share_a_line_until_it_is_written() {
        assert_eq!(
            moved(&[(0, 0, true), (1, 0, false), (2, 0, false), (1, 0, false)]),
            2
        );
        assert_eq!(
            moved(&[(0, 0, true), (1, 0, false), (0, 0, true), (0, 0, true)]),
            2
        );
    }

    #[test]
    fn an_access_to_two_lines_moves_both() {
        assert_eq!(
            moved(&[(0, 60, true), (1, 60, false), (0, 64, true), (0, 56, true)]),
            4
        );
    }
}
