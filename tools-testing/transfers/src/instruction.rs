// SPDX-License-Identifier: GPL-2.0

//! The instructions of x86-64 that are looked for.

/// Where a region begins or ends: `nopl 0x5eed0000(%rax)` and `nopl 0x5eed0001(%rax)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Begin,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mark(Mark),
    /// It has a lock prefix, or exchanges a register with memory.
    Atomic,
    Other,
}

pub fn kind(bytes: &[u8]) -> Kind {
    match bytes {
        [0x0f, 0x1f, 0x80, 0x00, 0x00, 0xed, 0x5e] => return Kind::Mark(Mark::Begin),
        [0x0f, 0x1f, 0x80, 0x01, 0x00, 0xed, 0x5e] => return Kind::Mark(Mark::End),
        _ => {}
    }

    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        match first {
            0xf0 => return Kind::Atomic,
            // Other prefixes, of segments, sizes and repetition; REX comes last.
            0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf2 | 0xf3 | 0x40..=0x4f => rest = after,
            _ => break,
        }
    }
    match rest {
        // XCHG, unless both are registers.
        [0x86 | 0x87, operands, ..] if *operands < 0xc0 => Kind::Atomic,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atomics_are_found_behind_prefixes() {
        // lock cmpxchg %rsi,(%rdi); gs lock incl; xchg %rax,(%rdi); xchg %eax,%gs:(%rdi)
        assert_eq!(kind(&[0xf0, 0x48, 0x0f, 0xb1, 0x37]), Kind::Atomic);
        assert_eq!(kind(&[0x65, 0xf0, 0xff, 0x07]), Kind::Atomic);
        assert_eq!(kind(&[0x48, 0x87, 0x07]), Kind::Atomic);
        assert_eq!(kind(&[0x65, 0x87, 0x07]), Kind::Atomic);
    }

    #[test]
    fn others_are_none() {
        // xchg %rax,%rdi; mov %rax,(%rdi); a shorter nop
        assert_eq!(kind(&[0x48, 0x87, 0xf8]), Kind::Other);
        assert_eq!(kind(&[0x48, 0x89, 0x07]), Kind::Other);
        assert_eq!(kind(&[0x0f, 0x1f, 0x40, 0x00]), Kind::Other);
    }

    #[test]
    fn marks_are_found() {
        assert_eq!(
            kind(&[0x0f, 0x1f, 0x80, 0, 0, 0xed, 0x5e]),
            Kind::Mark(Mark::Begin)
        );
        assert_eq!(
            kind(&[0x0f, 0x1f, 0x80, 1, 0, 0xed, 0x5e]),
            Kind::Mark(Mark::End)
        );
    }
}
