//! What is made of a scrape.

use super::*;
use crate::config::{ClientIpHeader, TrustedProxies};

fn settings(select: ClientIpSelect) -> ClientIp {
    ClientIp { header: ClientIpHeader::XForwardedFor, select, trusted_proxies: TrustedProxies::default() }
}

fn judged(select: ClientIpSelect, counts: &[(ClientFound, u64)]) -> Vec<Ailment> {
    let mut found = Vec::new();
    let count = |kind| counts.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count);
    let all = counts.iter().map(|(_, count)| count).sum();
    judge_clients(&count, (all, SAMPLE), &settings(select), &mut found);
    found.into_iter().map(|finding| finding.ailment).collect()
}

#[test]
fn the_ways_in_which_addresses_are_found_tell_of_the_edge() {
    use Ailment::{EdgeAppends, EdgeHidesClients, EdgeNotTrusted, ForgedHeaders, UndeterminedClients};
    use ClientFound::{Chain, Ignored, Missing, Peer, Undetermined, Value};
    use ClientIpSelect::{First, RightmostUntrusted};
    type Case<'a> = (ClientIpSelect, &'a [(ClientFound, u64)], &'a [Ailment]);
    let cases: &[Case<'_>] = &[
        (First, &[(Value, 100)], &[]),
        (First, &[(Peer, 100)], &[]),
        (First, &[(Value, 99), (Chain, 1)], &[EdgeAppends]),
        (RightmostUntrusted, &[(Value, 99), (Chain, 1)], &[]),
        (First, &[(Value, 40), (Missing, 60)], &[EdgeHidesClients]),
        (First, &[(Value, 60), (Missing, 40)], &[]),
        (First, &[(Missing, 3)], &[]),
        (First, &[(Ignored, 80), (Peer, 20)], &[EdgeNotTrusted]),
        (First, &[(Ignored, 2), (Peer, 98)], &[ForgedHeaders]),
        (First, &[(Undetermined, 1), (Value, 99)], &[UndeterminedClients]),
    ];
    for (select, counts, expected) in cases {
        assert_eq!(judged(*select, counts), *expected, "{select:?} {counts:?}");
    }
}

#[test]
fn a_scrape_is_read() {
    let text = "# TYPE a counter\na_total{x=\"one\"} 3\na_total{x=\"two\"} 4\na_total_more 9\nb 7\nc{f=\"tls.crt\"} 1.5e0\n";
    let metrics = Metrics(text);
    assert_eq!((metrics.sum("a_total"), metrics.value("a_total", "two"), metrics.sum("b")), (7, 4, 7));
    assert_eq!(metrics.labelled("c").collect::<Vec<_>>(), [("tls.crt", 1)]);
    assert_eq!(metrics.sum("missing"), 0);
}

#[test]
fn certificates_near_their_end_are_found() {
    let now = UNIX_EPOCH + Duration::from_secs(1_000 * DAY);
    for (ends, expected) in [
        (999 * DAY, Some(Ailment::CertificateEnds)),
        (1_006 * DAY, Some(Ailment::CertificateEnds)),
        (1_008 * DAY, Some(Ailment::CertificateSoon)),
        (1_030 * DAY, None),
    ] {
        let text = format!("aclgate_certificate_expiry_timestamp_seconds{{certificate=\"a.crt\"}} {ends}\n");
        let mut found = Vec::new();
        certificates(&Metrics(&text), now, &mut found);
        assert_eq!(found.first().map(|finding| finding.ailment), expected, "{ends}");
    }
}
