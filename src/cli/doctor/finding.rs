//! Everything that the doctor can find, in one table: a stable name, how bad it is, why, and what to do.

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Access control may be passed by, or may keep out the wrong ones. The exit code is 1.
    Danger,
    /// Something is not as it was meant to be, or will not be for long.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Danger => "danger",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! ailments {
    ($($variant:ident $severity:ident $name:literal $why:literal $remedy:literal)*) => {
        /// A kind of finding. Its name never changes once released.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Ailment {
            $(#[doc = $why] $variant,)*
        }

        impl Ailment {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, such as `trusts-everybody`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Why it matters.
            pub fn why(self) -> &'static str {
                match self { $(Self::$variant => $why,)* }
            }

            /// What to do.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

ailments! {
    TrustsEverybody Danger "trusts-everybody"
        "Whoever reaches the gateway writes the address that ACLs are tested against."
        "List the addresses of your proxies alone in `client_ip.trusted_proxies`; `header = \"none\"` if there are none."
    AdminPublic Danger "admin-public"
        "Whoever reaches the management listener may read metrics, and try keys that change the policy."
        "Let `admin.listen` be on loopback or on a management network, and set `admin.tls` beyond loopback."
    UpstreamBeside Danger "upstream-beside"
        "Whoever reaches the identity server directly passes by every ACL."
        "Let the identity server listen on loopback, or on a network that the gateway alone is in; then try again from outside."
    UpstreamNotLocal Note "upstream-not-local"
        "From here nobody can say who else reaches it."
        "Run the doctor, or `curl`, from a machine that must not reach the identity server."
    EdgeAppends Danger "edge-appends"
        "A proxy appends to the header, so with `select = \"first\"` the first value is what the client itself wrote."
        "Let the edge overwrite the header, or set `client_ip.select = \"rightmost-untrusted\"`."
    EdgeHidesClients Danger "edge-hides-clients"
        "An edge that names no client makes all of them one: ACLs are tested against its own address."
        "Let it send the header that `client_ip.header` names, or the PROXY protocol; without an edge set `header = \"none\"`."
    EdgeNotTrusted Danger "edge-not-trusted"
        "A proxy that is not in `trusted_proxies` is taken for the client, and all clients behind it for one."
        "Add the proxy's address to `client_ip.trusted_proxies`, and nothing wider."
    ForgedHeaders Note "forged-headers"
        "Somebody who is not trusted says which address they come from. It is not believed, and not forwarded."
        "Nothing, if no proxy of yours is missing from `trusted_proxies`."
    OneClient Danger "one-client"
        "When everybody comes from one address, ACLs cannot tell anybody apart."
        "Look at what stands before the gateway: source NAT (`externalTrafficPolicy: Local` on Kubernetes), or an edge that names itself."
    UndeterminedClients Warning "undetermined-clients"
        "A client whose address cannot be determined is blocked wherever an ACL applies."
        "Look for `client_undetermined` in the log: which proxy writes what is no address?"
    DefaultTenantAbsent Warning "default-tenant-absent"
        "A sign-on request that names no listed application or tenant meets no ACL, and later steps of a login name none."
        "Give the tenant that such requests belong to `default = true` and an ACL, if they are not to be open."
    ReportOnly Warning "report-only"
        "Blocks are logged and let through."
        "Take `mode = \"report\"` away once `aclgate impact` or the log says that nobody is hit by mistake."
    EntryExpired Warning "entry-expired"
        "Its time is over and it is as if it were not there: whoever relied on it comes in no more, or comes in again."
        "Take it out of the list, or give it another term."
    Unwise Warning "unwise"
        "`aclgate check` warns of it."
        "See `aclgate check` for the place and a hint."
    NotReached Warning "not-reached"
        "What the running gateway does cannot be looked at."
        "Give `--admin`, and run the doctor where the management listener can be reached."
    NotReady Warning "not-ready"
        "The gateway drains, or is not there for requests."
        "Wait, or look at its log."
    ReloadFailed Danger "reload-failed"
        "The file cannot be put in force; the last good policy is older than you think."
        "Mend the file: `aclgate check` shows each place."
    OtherPolicy Warning "other-policy"
        "The running gateway obeys another policy than this file says."
        "Is it the file that it runs on? Else send it SIGHUP and look at its log."
    PendingRestart Warning "pending-restart"
        "Some settings take effect after a restart alone."
        "Restart the gateway."
    CertificateEnds Danger "certificate-ends"
        "When a certificate has ended, no client connects any more."
        "Renew it; the file is watched."
    CertificateSoon Warning "certificate-soon"
        "When a certificate has ended, no client connects any more."
        "Renew it; the file is watched."
    ListOld Warning "list-old"
        "A list that nobody updates lets in whoever has the addresses today."
        "See to it that the job that fetches the list runs; or touch the file if it is right as it is."
    LinesLost Warning "lines-lost"
        "Lines of the log are missing, so it cannot say of everybody why they were blocked."
        "Let whoever reads the log read faster, or log less."
    SmallSample Note "small-sample"
        "Too little was seen to judge by."
        "Look again when there has been traffic; a recording (`[log] decisions = \"all\"`) says more."
}

/// One thing that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub ailment: Ailment,
    /// What was seen.
    pub seen: String,
}

impl Finding {
    /// Something that was seen.
    pub fn new(ailment: Ailment, seen: impl Into<String>) -> Self {
        Self { ailment, seen: seen.into() }
    }

    /// As an object for machines.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "severity": self.ailment.severity().name(),
            "code": self.ailment.name(),
            "seen": self.seen,
            "why": self.ailment.why(),
            "remedy": self.ailment.remedy(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_everything_is_said() {
        let names: HashSet<_> = Ailment::ALL.iter().map(|ailment| ailment.name()).collect();
        assert_eq!(names.len(), Ailment::ALL.len());
        for ailment in Ailment::ALL {
            assert!(ailment.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
            assert!(ailment.why().ends_with('.') && ailment.remedy().ends_with(['.', '?']), "{ailment:?}");
        }
    }
}
