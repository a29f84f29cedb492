//! Reading bytes from the front, and the numbers of varying length among them (pure).
//!
//! A varint is LEB128: seven bits a byte from the lowest on, the top bit set in all but the last.
//! A signed one is folded first (0, -1, 1, -2, 2, … become 0, 1, 2, 3, 4, …), so that numbers
//! near 0 are short.

/// What is not yet read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut<'a>(pub(super) &'a [u8]);

impl<'a> Cut<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (front, rest) = self.0.split_first_chunk::<N>().ok_or("cut short")?;
        self.0 = rest;
        Ok(*front)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (front, rest) = self.0.split_at_checked(length).ok_or("cut short")?;
        self.0 = rest;
        Ok(front)
    }

    pub(super) fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take()?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number of more than 64 bits".to_owned())
    }

    pub(super) fn signed_varint(&mut self) -> Result<i64, String> {
        let folded = self.varint()?;
        Ok((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }

    /// A length: a varint that memory could hold.
    pub(super) fn length(&mut self) -> Result<usize, String> {
        usize::try_from(self.varint()?).map_err(|_| "cut short".to_owned())
    }
}

/// Appends `value`.
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends `value`, folded.
pub(super) fn push_signed_varint(bytes: &mut Vec<u8>, value: i64) {
    push_varint(bytes, (value << 1 ^ value >> 63) as u64);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn varints_are_those_of_others() {
        // The examples of the DWARF standard (appendix C) and of Protocol Buffers.
        for (value, expected) in [
            (2, &[2_u8][..]),
            (127, &[127]),
            (128, &[0x80, 1]),
            (12_857, &[0xB9, 0x64]),
            (150, &[0x96, 1]),
        ] {
            let mut bytes = Vec::new();
            push_varint(&mut bytes, value);
            assert_eq!(bytes, expected);
        }
        for (value, folded) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (63, 126)] {
            let mut bytes = Vec::new();
            push_signed_varint(&mut bytes, value);
            assert_eq!(bytes, [folded]);
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_refused() {
        let mut most = [0xFF; 10];
        most[9] = 1;
        assert_eq!(Cut(&most).varint(), Ok(u64::MAX));
        most[9] = 2;
        assert!(Cut(&most).varint().is_err());
        most[9] = 0x81;
        assert!(Cut(&most).varint().is_err());
        assert!(Cut(&[0x80; 40]).varint().is_err());
        assert!(Cut(&[0x80]).varint().is_err());
    }

    proptest! {
        #[test]
        fn numbers_come_back(unsigned: u64, signed: i64, shift in 0..64) {
            let (unsigned, signed) = (unsigned >> shift, signed >> shift);
            let mut bytes = Vec::new();
            push_varint(&mut bytes, unsigned);
            push_signed_varint(&mut bytes, signed);
            let mut cut = Cut(&bytes);
            prop_assert_eq!(cut.varint(), Ok(unsigned));
            prop_assert_eq!(cut.signed_varint(), Ok(signed));
            prop_assert!(cut.is_empty());
        }
    }
}
