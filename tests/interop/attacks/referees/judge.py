"""What the Python referees have in common: the shape of a verdict, and the fields that some upstreams believe."""

import base64
import json

NAMES = ("client_id", "tenantId", "audience", "resource", "scope", "grant_type")
# Fields from which one upstream or another takes an address, a host or a path.
BELIEVED = (
    "x-forwarded-for x-real-ip forwarded x-forwarded x-forwarded-host x-forwarded-proto x-forwarded-port"
    " x-forwarded-prefix x-forwarded-uri x-forwarded-path x-forwarded-server forwarded-for client-ip x-client-ip"
    " true-client-ip cf-connecting-ip cf-connecting-ipv6 fastly-client-ip x-cluster-client-ip x-remote-ip"
    " x-remote-addr remote-addr x-originating-ip x-original-forwarded-for x-original-url x-rewrite-url"
    " x-original-uri x-original-host x-host x-envoy-external-address x-appengine-user-ip x-azure-clientip"
    " wl-proxy-client-ip proxy-client-ip x-proxyuser-ip x-forwarded-client-cert x-fusionauth-tenantid"
).split()


def basic_user(value):
    """The user of `Authorization: Basic`, as careless code reads it; nothing where there is none."""
    scheme, _, rest = (value or "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        return [base64.b64decode(rest.strip() + "==").decode("utf-8", "replace").split(":", 1)[0]]
    except ValueError:
        return []


def flat(value):
    """Every text in a parsed value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in flat(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in flat(item)]
    return [] if value is None else [value if isinstance(value, str) else str(value)]


def of_pairs(pairs):
    """The values of the known names among pairs."""
    found = {}
    for name, value in pairs:
        if name in NAMES:
            found.setdefault(name, []).extend(flat(value))
    return found


def of_json(text):
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(parsed, dict):
        return {}
    # An object is nobody's client; a list of texts may be.
    return of_pairs((name, value) for name, value in parsed.items() if not isinstance(value, dict))


def verdict(referee, resource, heard, **places):
    """`heard`: fields by name in lower case. `places`: known names and their values, by the place they were in."""
    believed = {name: heard[name] for name in BELIEVED if heard.get(name)}
    return json.dumps({"referee": referee, "resource": resource, "places": places, "heard": believed})
