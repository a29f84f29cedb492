//! The bytes of an ICMP echo (RFC 792; RFC 4443, section 4). Pure but for its random token.

/// Bytes before the payload.
const HEADER_BYTES: usize = 8;

/// Fewest payload bytes: enough that nobody guesses them and no other run has them.
const PAYLOAD_BYTES_MIN: u16 = 8;

/// One echo that is under way.
#[derive(Debug)]
pub(super) struct Echo {
    v6: bool,
    id: u16,
    sequence: u16,
    payload: Vec<u8>,
}

impl Echo {
    /// An echo with a random id, sequence number and payload.
    pub(super) fn random(v6: bool, payload_bytes: u16) -> Self {
        let mut payload = vec![0; usize::from(payload_bytes.max(PAYLOAD_BYTES_MIN))];
        rand::fill(&mut payload[..]);
        Self { v6, id: rand::random(), sequence: rand::random(), payload }
    }

    /// The request. The kernel replaces the id on a datagram socket, and computes the checksum
    /// for ICMPv6, which covers the addresses too.
    pub(super) fn request(&self) -> Vec<u8> {
        let mut packet = vec![if self.v6 { 128 } else { 8 }, 0, 0, 0];
        packet.extend(self.id.to_be_bytes());
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(&self.payload);
        if !self.v6 {
            let sum = checksum(&packet).to_be_bytes();
            packet[2..4].copy_from_slice(&sum);
        }
        packet
    }

    /// Longest packet worth reading: the reply, and the largest IPv4 header before it.
    pub(super) fn reply_bytes_max(&self) -> usize {
        60 + HEADER_BYTES + self.payload.len()
    }

    /// Whether `packet` is the reply: its sequence number and its whole payload are ours.
    /// A raw socket (`raw`) also shows the IPv4 header and everybody's replies, so there the
    /// id counts as well.
    pub(super) fn is_reply(&self, packet: &[u8], raw: bool) -> bool {
        let packet = if raw && !self.v6 { past_ipv4_header(packet) } else { Some(packet) };
        let Some((header, payload)) = packet.and_then(|it| it.split_first_chunk::<HEADER_BYTES>())
        else {
            return false;
        };
        header[0] == if self.v6 { 129 } else { 0 }
            && header[1] == 0
            && (!raw || header[4..6] == self.id.to_be_bytes())
            && header[6..8] == self.sequence.to_be_bytes()
            && payload == self.payload
    }
}

/// The hop limit that a packet with an IPv4 header came with: its TTL (RFC 791, section 3.1).
pub(super) fn hop_limit(packet: &[u8]) -> Option<u8> {
    past_ipv4_header(packet)?;
    packet.get(8).copied()
}

/// RFC 791, section 3.1: the first byte is the version, 4, and the header's length in words
/// of four bytes, at least 5.
fn past_ipv4_header(packet: &[u8]) -> Option<&[u8]> {
    let words = packet.first()?.checked_sub(0x40).filter(|words| (5..=15).contains(words))?;
    packet.get(usize::from(words) * 4..)
}

/// RFC 1071: the complement of the sum of all 16-bit words, carries added back.
fn checksum(packet: &[u8]) -> u16 {
    let word =
        |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    let mut sum: u32 = packet.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn echo(v6: bool) -> Echo {
        Echo { v6, id: 0x0102, sequence: 0x0304, payload: b"12345678".to_vec() }
    }

    fn reply(v6: bool) -> Vec<u8> {
        let mut packet = echo(v6).request();
        packet[0] = if v6 { 129 } else { 0 };
        packet
    }

    #[test]
    fn a_request_sums_to_zero() {
        for payload_bytes in [0, 8, 9, 1_001, 65_000] {
            let request = Echo::random(false, payload_bytes).request();
            assert_eq!(checksum(&request), 0);
            assert_eq!(request.len(), 8 + usize::from(payload_bytes.max(8)));
        }
    }

    #[test]
    fn only_the_whole_payload_with_its_number_is_a_reply() {
        for v6 in [false, true] {
            assert!(echo(v6).is_reply(&reply(v6), false));
            assert!(!echo(v6).is_reply(&echo(v6).request(), false), "the request itself");
            for at in [0, 1, 6, 7, 8, 15] {
                let mut other = reply(v6);
                other[at] ^= 1;
                assert!(!echo(v6).is_reply(&other, false), "byte {at}");
            }
            assert!(!echo(v6).is_reply(&reply(v6)[..15], false), "cut");
            let mut longer = reply(v6);
            longer.push(0);
            assert!(!echo(v6).is_reply(&longer, false), "longer");
        }
    }

    #[test]
    fn the_id_counts_only_on_a_raw_socket() {
        let mut other = reply(true);
        other[4] ^= 1;
        assert!(echo(true).is_reply(&other, false));
        assert!(!echo(true).is_reply(&other, true));
    }

    #[test]
    fn a_raw_socket_shows_the_ipv4_header() {
        let header = |words: u8| {
            let mut header = vec![0; usize::from(words) * 4];
            header[0] = 0x40 | words;
            header
        };
        for words in [5, 15] {
            assert!(echo(false).is_reply(&[header(words), reply(false)].concat(), true));
        }
        assert!(!echo(false).is_reply(&reply(false), true));
        let mut packet = header(5);
        packet[8] = 61;
        assert_eq!(hop_limit(&packet), Some(61));
        assert_eq!(hop_limit(&reply(false)), None);
        assert_eq!(hop_limit(&packet[..8]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            for (v6, raw) in [(false, false), (false, true), (true, false), (true, true)] {
                prop_assert!(!echo(v6).is_reply(&bytes, raw));
            }
        }
    }
}
