//! Names to addresses, asked anew each run: no cache, and every failure told apart.
//!
//! A stub resolver of our own over `hickory-proto`'s messages: a library's resolver hides which
//! server failed and how, and the target may be blamed only for what two servers say.
//! Every name is taken as absolute: the search list of `/etc/resolv.conf` is not used.

mod ask;

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use hickory_proto::op::Query;
use hickory_proto::rr::{Name, RecordType};
use tokio::time::timeout;
use url::Host;

use crate::model::check::Lane;
use crate::model::how::How;
use crate::model::observation::Detail;
use crate::model::phases::Phase;
use crate::model::reason::Reason;

use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use ask::Trouble;

pub(super) use ask::local;

/// Most addresses kept of one answer: enough for any pool behind one name, and a bound on how
/// many connects one run may make.
const ADDRESSES_MAX: usize = 16;

/// The addresses of `host`, at least one, in the order to try them and all of one family: IPv6
/// only where the lane asks for it or there is no IPv4. Time goes to `dns`; `detail.addresses` is filled.
///
/// # Errors
///
/// `dns_nxdomain`, `dns_servfail`, `dns_timeout`, `timeout_dns`, or a void reason where our own
/// side failed.
pub(super) async fn resolve(
    host: &Host<String>,
    how: How,
    net: &Net,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Vec<IpAddr>, Fault> {
    let found = match host {
        Host::Ipv4(ip) => of_lane(IpAddr::V4(*ip), how),
        Host::Ipv6(ip) => of_lane(IpAddr::V6(*ip), how),
        Host::Domain(name) => watch.run(Phase::Dns, of_name(name, how, net)).await,
    }?;
    detail.addresses.clone_from(&found);
    Ok(found)
}

fn of_lane(ip: IpAddr, how: How) -> Result<Vec<IpAddr>, Fault> {
    let fits = match how.lane {
        _ if how.spare => true,
        Lane::Any => true,
        Lane::V4 => ip.is_ipv4(),
        Lane::V6 => ip.is_ipv6(),
    };
    if fits {
        return Ok(vec![ip]);
    }
    let why = format!("`{ip}` is not an address of the family `{}`", how.lane.as_str());
    Err(Fault::new(Reason::DnsNxdomain, why))
}

async fn of_name(name: &str, how: How, net: &Net) -> Result<Vec<IpAddr>, Fault> {
    let types: &[RecordType] = match (how.lane, how.spare) {
        (Lane::Any, _) | (Lane::V4, true) => &[RecordType::A, RecordType::AAAA],
        (Lane::V6, true) => &[RecordType::AAAA, RecordType::A],
        (Lane::V4, false) => &[RecordType::A],
        (Lane::V6, false) => &[RecordType::AAAA],
    };
    let mut parsed = Name::from_ascii(name)
        .map_err(|error| Fault::new(Reason::DnsNxdomain, format!("`{name}`: {error}")))?;
    parsed.set_fqdn(true);
    if let Some(found) = from_hosts(&parsed, types, net) {
        return Ok(found);
    }
    for record_type in types {
        let mut found = of_type(&parsed, *record_type, net).await?;
        if !found.is_empty() {
            found.truncate(ADDRESSES_MAX);
            return Ok(found);
        }
    }
    let kinds = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    Err(Fault::new(Reason::DnsNxdomain, format!("`{name}` has no {kinds} record")))
}

/// `localhost` (RFC 6761, section 6.3) and `/etc/hosts`.
fn from_hosts(name: &Name, types: &[RecordType], net: &Net) -> Option<Vec<IpAddr>> {
    for record_type in types {
        let query = Query::query(name.clone(), *record_type);
        if let Some(lookup) = net.hosts.lookup_static_host(&query) {
            let found: Vec<_> =
                lookup.answers().iter().filter_map(|it| it.data.ip_addr()).collect();
            if !found.is_empty() {
                return Some(found);
            }
        }
        if name.is_localhost() {
            return Some(vec![match record_type {
                RecordType::AAAA => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
                _ => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            }]);
        }
    }
    None
}

/// Asks the resolvers in turn until one answers with addresses or enough of them agree that
/// there is trouble. Empty: the name exists and has no record of the type.
async fn of_type(name: &Name, record_type: RecordType, net: &Net) -> Result<Vec<IpAddr>, Fault> {
    let count = net.resolvers.len();
    let first = net.resolver_first.load(Ordering::Relaxed);
    let mut troubles: Vec<Option<Trouble>> = vec![None; count];
    for _round in 0..net.dns_rounds {
        for offset in 0..count {
            let index = (first + offset) % count;
            if matches!(troubles[index], Some(Trouble::Said(..))) {
                continue;
            }
            let asked =
                ask::addresses(net.resolvers[index], name, record_type, net.settings.source);
            match timeout(net.dns_attempt, asked).await {
                Ok(Ok(found)) => {
                    net.resolver_first.store(index, Ordering::Relaxed);
                    return Ok(found);
                }
                Ok(Err(Trouble::Own(fault))) => return Err(fault),
                Ok(Err(trouble)) => troubles[index] = Some(trouble),
                Err(_elapsed) => troubles[index] = Some(Trouble::Silent),
            }
            if let Some(fault) = agreed(&troubles) {
                return Err(fault);
            }
        }
    }
    Err(blame(name, &troubles))
}

/// The fault that is certain already: two resolvers answered with trouble, or the only one did.
fn agreed(troubles: &[Option<Trouble>]) -> Option<Fault> {
    let mut said = troubles.iter().filter_map(|trouble| match trouble {
        Some(Trouble::Said(fault)) => Some(fault),
        _ => None,
    });
    let first = said.next()?;
    (troubles.len() == 1 || said.next().is_some()).then(|| first.clone())
}

/// Whose fault it is when every resolver has been asked as often as allowed. A single answer
/// counts if the other resolvers are silent (they may be waiting for the same broken servers),
/// but not if they can't be reached at all.
fn blame(name: &Name, troubles: &[Option<Trouble>]) -> Fault {
    let said = troubles.iter().flatten().find_map(|trouble| match trouble {
        Trouble::Said(fault) => Some(fault.clone()),
        _ => None,
    });
    let silent = troubles.iter().flatten().any(|trouble| matches!(trouble, Trouble::Silent));
    match (said, silent) {
        (Some(fault), true) => fault,
        (None, true) => {
            Fault::new(Reason::DnsTimeout, format!("no name server answered for `{name}`"))
        }
        (said, false) => {
            let mut why = "name servers can't be reached".to_owned();
            for trouble in troubles.iter().flatten() {
                if let Trouble::Unreachable(error) = trouble {
                    why.push_str(": ");
                    why.push_str(error);
                }
            }
            if let Some(fault) = said {
                why.push_str("; another says: ");
                why.push_str(&fault.why);
            }
            Fault::new(Reason::SelfDns, why)
        }
    }
}
