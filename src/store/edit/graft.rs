//! The candidate of a changed text without reading 100,000 API keys again.
//!
//! The changed text and the policy in force in; a text without the API keys that the change does not concern, and how
//! to put them back into what the front door makes of it, out. Their tables are the same to the byte as when the front
//! door last read them. What of them depends on others is judged here, and narrowly: ids, names and hashes against
//! those of the keys that are read, and that their ACLs are still there. Whatever is in doubt is `None`, and the whole
//! text is read. A test holds the outcome to that of the whole text.

use super::object::{Change, Image, Object, Target};
use super::outline::{Kind, Outline};
use super::plan::Current;
use crate::policy::acl::IpAcl;
use crate::policy::finding::Code;
use crate::policy::subject::{ApiKey, Assignment};
use crate::policy::{Policy, PolicyParts};
use crate::store::Candidate;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Below this many keys the whole text is read.
const WORTHWHILE: usize = 1000;

/// What stands in the place of an API key of the changed text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slot {
    /// The key with this number in the policy in force.
    Known(usize),
    /// The next of those that are read.
    Read,
}

/// A shorter text, and how to make the whole of it.
#[derive(Debug)]
pub(super) struct Graft {
    slots: Vec<Slot>,
    /// To be read in place of the changed text.
    pub(super) reduced: String,
}

impl Graft {
    /// `None`: not worth while, or not without doubt.
    pub(super) fn of(current: Current<'_>, change: &Change, changed: &str) -> Option<Self> {
        let keys = &current.policy.parts().api_keys;
        if keys.len() < WORTHWHILE {
            return None;
        }
        let target = change.target();
        let mut slots: Vec<Slot> = (0..keys.len()).map(Slot::Known).collect();
        match (change, &target) {
            (Change::Create(Object::ApiKey(_)), _) => slots.push(Slot::Read),
            (Change::DeleteApiKey(_), _) => {
                slots.remove(target.find(current.policy)?.0);
            }
            (_, Target::ApiKey(_)) => *slots.get_mut(target.find(current.policy)?.0)? = Slot::Read,
            (Change::Create(Object::IpAcl(acl)) | Change::Replace(Object::IpAcl(acl)), _) => {
                // It could catch references by id that are spelled in another way.
                if acl.name.parse::<Uuid>().is_ok() {
                    return None;
                }
                if let Some((_, Image::IpAcl(old))) = target.find(current.policy)
                    && **old.name() != *acl.name
                {
                    let given =
                        |key: &ApiKey| key.assignment.as_ref().is_some_and(|given| given.acl.id() == acl.id);
                    for (slot, _) in slots.iter_mut().zip(keys).filter(|(_, key)| given(key)) {
                        *slot = Slot::Read;
                    }
                }
            }
            _ => {}
        }
        let outline = Outline::of(changed);
        let reduced = reduce(changed, &outline, &slots)?;
        Some(Self { slots, reduced })
    }

    /// Puts the keys back; `None` if one of them does not fit.
    pub(super) fn complete(self, candidate: Candidate, policy: &Policy) -> Option<Candidate> {
        let known = &policy.parts().api_keys;
        let parts = candidate.policy.parts().clone();
        if self.slots.iter().filter(|slot| **slot == Slot::Read).count() != parts.api_keys.len() {
            return None;
        }
        let acls: HashMap<Uuid, &Arc<IpAcl>> = parts.acls.iter().map(|acl| (acl.id(), acl)).collect();
        let mut read = parts.api_keys.iter();
        let mut api_keys = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            api_keys.push(match slot {
                Slot::Read => read.next()?.clone(),
                Slot::Known(at) => {
                    let key = known.get(*at)?;
                    if parts.api_keys.iter().any(|read| collide(read, key)) {
                        return None;
                    }
                    let assignment = match &key.assignment {
                        None => None,
                        Some(given) => {
                            Some(Assignment { acl: Arc::clone(acls.get(&given.acl.id())?), mode: given.mode })
                        }
                    };
                    ApiKey { assignment, ..key.clone() }
                }
            });
        }
        // Which ACLs are not used at all cannot be said from the shorter text.
        let findings = candidate.findings.without(Code::UnusedAcl);
        Some(Candidate { policy: Policy::new(PolicyParts { api_keys, ..parts }), findings, ..candidate })
    }
}

fn collide(one: &ApiKey, other: &ApiKey) -> bool {
    one.id == other.id || one.hash == other.hash || one.name == other.name
}

/// The text without the tables of known keys; lines of ACLs keep their numbers.
fn reduce(text: &str, outline: &Outline, slots: &[Slot]) -> Option<String> {
    if outline.count(Kind::ApiKey) != slots.len() {
        return None;
    }
    let last_acl = outline.of_kind(Kind::IpAcl).last().map_or(0, |section| section.header);
    let mut reduced = String::new();
    let (mut at, mut slots, mut slot) = (0, slots.iter(), Slot::Read);
    for section in outline.of_kind(Kind::ApiKey) {
        if section.opens {
            slot = *slots.next()?;
        }
        if slot == Slot::Read {
            continue;
        }
        reduced.push_str(text.get(at..section.header)?);
        if section.header < last_acl {
            let lines = memchr::memchr_iter(b'\n', text.get(section.header..section.end)?.as_bytes()).count();
            reduced.extend(std::iter::repeat_n('\n', lines));
        }
        at = section.end;
    }
    reduced.push_str(text.get(at..)?);
    Some(reduced)
}
