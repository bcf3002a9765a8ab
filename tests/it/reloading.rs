//! SPEC §6: what a change of the file does, and what it does not.

use crate::harness::{Client, Gateway, Upstream};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Two policies that are told apart by what they block, and by what they say then.
fn policy(blocks: &str, body: &str) -> String {
    format!(
        "[policy.blocked_page]\nbody = \"{body}\"\n\
         [[ip_acl]]\nname = \"a\"\ndefault = \"allow\"\nblock = [\"{blocks}\"]\n\
         [[tenant]]\nid = \"t\"\nname = \"t\"\ndefault = true\nip_acl = \"a\"\n"
    )
}

fn file(upstream: &Upstream, policy: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[upstream]\nurl = \"http://{}\"\n{policy}",
        upstream.address
    )
}

/// Puts a whole file in place and waits until it is in force.
pub(crate) fn change(gateway: &Gateway, text: &str) {
    gateway.and_then_in_force(|| {
        let next = gateway.folder().join("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(&next, gateway.file()).unwrap();
    });
}

#[test]
fn a_kept_alive_connection_obeys_the_policy_of_the_moment() {
    let upstream = Upstream::start();
    let gateway = Gateway::start_with(&file(&upstream, &policy("203.0.113.1", "one")));
    let mut client = gateway.connect();
    let ask = |client: &mut Client, address: &str| {
        client.send(format!("GET /oauth2/x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\n\r\n"))
    };
    assert_eq!(ask(&mut client, "203.0.113.1").text(), "one");
    assert_eq!(ask(&mut client, "203.0.113.2").status, 200);
    change(&gateway, &file(&upstream, &policy("203.0.113.2", "two")));
    assert_eq!(ask(&mut client, "203.0.113.1").status, 200);
    assert_eq!(ask(&mut client, "203.0.113.2").text(), "two");
}

#[test]
fn nothing_is_lost_and_no_two_policies_are_mixed_while_the_file_changes() {
    let upstream = Upstream::start();
    let texts = [("203.0.113.1", "one"), ("203.0.113.2", "two")].map(|(a, b)| file(&upstream, &policy(a, b)));
    let gateway = Gateway::start_with(&texts[0]);
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let (stop, asked, mut client) = (Arc::clone(&stop), Arc::clone(&asked), gateway.connect());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    for (address, blocked) in [("203.0.113.1", "one"), ("203.0.113.2", "two")] {
                        let answer = client.send(format!(
                            "GET /oauth2/x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\n\r\n"
                        ));
                        // Whoever is blocked is told so by the very policy that blocks him.
                        match answer.status {
                            200 => assert_eq!(answer.text(), "upstream"),
                            403 => assert_eq!(answer.text(), blocked),
                            status => panic!("{status}"),
                        }
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for round in 1..=10 {
        change(&gateway, &texts[round % 2]);
    }
    stop.store(true, Ordering::Relaxed);
    askers.into_iter().for_each(|asker| asker.join().unwrap());
    assert!(asked.load(Ordering::Relaxed) > 100);
}

#[test]
fn a_tunnel_that_a_new_policy_would_block_is_closed_and_another_stays() {
    let upstream = Upstream::answering(|_| {
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: x\r\n\r\nhello"
            .to_vec()
    });
    let gateway = Gateway::start_with(&file(&upstream, &policy("203.0.113.9", "one")));
    let open = |address: &str| {
        let mut client = gateway.connect();
        let answer = client.send(format!(
            "GET /oauth2/ws HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ));
        assert_eq!(answer.status, 101);
        let mut hello = [0; 5];
        client.stream().read_exact(&mut hello).unwrap();
        assert_eq!(&hello, b"hello");
        client
    };
    let (mut closed, mut kept) = (open("203.0.113.1"), open("203.0.113.2"));
    change(&gateway, &file(&upstream, &policy("203.0.113.1", "two")));
    let begun = Instant::now();
    assert!(closed.is_closed());
    assert!(begun.elapsed() < Duration::from_secs(15), "closed by the gateway, not by the time-out");
    kept.stream().get_mut().write_all(b"still here").unwrap();
    kept.stream().get_mut().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut byte = [0];
    let error = kept.stream().read(&mut byte).expect_err("nothing to read, nothing closed");
    assert!(matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{error}");
}
