// SPDX-License-Identifier: GPL-2.0

//! Numbers that look like chance, the same for a seed.

/// A sequence of numbers (xorshift64*).
pub struct Chance(u64);

impl Chance {
    /// Begins the sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        // Seeds that are near to each other are not, after this.
        let mut chance = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);

        chance.next();
        chance
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// The next number, below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 32) % limit
    }
}
