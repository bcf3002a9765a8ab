"""Authlib, with httpx2, against the provider through the gateway.

    EDGE=URL PEER=URL python driver.py

EDGE takes the client's address from X-Forwarded-For, PEER from the connection.
"""

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from checks import check, summary

PEERS = json.loads(Path(__file__).with_name("clients.json").read_text())
EDGE, PEER = os.environ["EDGE"], os.environ["PEER"]
APPLICATIONS, AUDIENCES = PEERS["applications"], PEERS["audiences"]
OFFICE = {"forwarded": PEERS["addresses"]["allowed"]}
OUTSIDE = {"forwarded": PEERS["addresses"]["blocked"]}
SECOND_HOST = {"source": PEERS["peers"]["allowed"]}
THIRD_HOST = {"source": PEERS["peers"]["blocked"]}


def place(forwarded=None, source=None):
    """Arguments for an httpx2 client that stands somewhere: behind a trusted proxy, or at a real source address."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return {"transport": httpx2.HTTPTransport(local_address=source), "headers": headers, "trust_env": False}


def browser(where, accept="text/html,*/*;q=0.8"):
    client = httpx2.Client(**place(**where), follow_redirects=False)
    client.headers["Accept"] = accept
    return client


def relying_party(where, application, **more):
    return OAuth2Client(
        client_id=application["client_id"],
        client_secret=application["client_secret"],
        token_endpoint_auth_method=application["auth"],
        **more,
        **place(**where),
    )


def metadata(gateway, where):
    answer = browser(where).get(f"{gateway}/.well-known/openid-configuration")
    answer.raise_for_status()
    return answer.json()


class Form(HTMLParser):
    """The first form of a page: where it goes and what it carries unasked."""

    def __init__(self, html):
        super().__init__()
        self.found, self.action, self.fields = False, None, {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form" and not self.found:
            self.found, self.action = True, attributes.get("action")
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes["value"]


def travel(client, url, destination, answers):
    """Follows redirects and answers forms until a redirect leaves for `destination`, which is returned."""
    answer = client.get(url)
    for _ in range(20):
        location = answer.headers.get("location")
        if location and location.startswith(destination):
            return location
        if location:
            answer = client.get(urljoin(str(answer.url), location))
            continue
        form = Form(answer.text)
        assert answer.status_code == 200 and form.found, f"stopped with {answer.status_code}: {answer.text}"
        action = urljoin(str(answer.url), form.action or "")
        answer = client.post(action, data={**form.fields, **answers})
    raise AssertionError("more than twenty hops")


def sign_in(gateway, where, application, **extra):
    """Login, consent, code with PKCE, refresh and userinfo; returns what a logout needs."""
    party = relying_party(
        where,
        application,
        scope="openid profile offline_access",
        redirect_uri=PEERS["redirect_uri"],
        code_challenge_method="S256",
    )
    endpoints = metadata(gateway, where)
    verifier = generate_token(48)
    url, state = party.create_authorization_url(
        endpoints["authorization_endpoint"], code_verifier=verifier, prompt="consent", **extra
    )
    pages = browser(where)
    arrived = travel(pages, url, PEERS["redirect_uri"], {"login": "ada", "password": "x"})
    token = party.fetch_token(
        endpoints["token_endpoint"], authorization_response=arrived, state=state, code_verifier=verifier
    )
    party.refresh_token(endpoints["token_endpoint"], refresh_token=token["refresh_token"])
    user = party.get(endpoints["userinfo_endpoint"])
    assert user.status_code == 200 and user.json()["name"] == "Ada", user.text
    return party, pages, endpoints, token


def sign_out(pages, endpoints, token):
    url = httpx2.URL(
        endpoints["end_session_endpoint"],
        params={"id_token_hint": token["id_token"], "post_logout_redirect_uri": PEERS["post_logout_redirect_uri"]},
    )
    travel(pages, str(url), PEERS["post_logout_redirect_uri"], {"logout": "yes"})


def refused_page(answer, kind="text/html"):
    """SPEC §5: sign-on page blocked."""
    assert answer.status_code == 403, answer.status_code
    assert answer.headers["content-type"].startswith(kind), answer.headers["content-type"]
    assert "x-upstream" not in answer.headers, "the upstream was asked"


def refused(error_type, call, matches=lambda error: True):
    try:
        call()
    except error_type as error:
        assert matches(error), repr(error)
        return
    raise AssertionError("it went through")


def grant(gateway, where, resource=None):
    party = relying_party(where, PEERS["machine"])
    extra = {"resource": resource} if resource else {}
    url = metadata(gateway, where)["token_endpoint"]
    return party.fetch_token(url, grant_type="client_credentials", **extra)


def token_refused(address):
    description = f"Access from IP address {address} is not allowed."
    return lambda error: error.error == "invalid_request" and error.description == description


def whole_life(gateway, where, application, **extra):
    _, pages, endpoints, token = sign_in(gateway, where, application, **extra)
    sign_out(pages, endpoints, token)


@check("every application from the office: sign-in, refresh, userinfo, logout")
def _():
    for application in APPLICATIONS.values():
        whole_life(EDGE, OFFICE, application)


@check("application open, tenant closed: storefront from outside, its tenant named beside it or not")
def _():
    whole_life(EDGE, OUTSIDE, APPLICATIONS["storefront"])
    whole_life(EDGE, OUTSIDE, APPLICATIONS["storefront"], tenantId=PEERS["tenants"]["acme"])


@check("application closed or tenant closed: blocked outside at the first page")
def _():
    for name in ("backoffice", "payroll"):
        params = {"client_id": APPLICATIONS[name]["client_id"], "response_type": "code"}
        refused_page(browser(OUTSIDE).get(f"{EDGE}/oauth2/authorize", params=params))
        refused_page(browser(OUTSIDE, "application/json").get(f"{EDGE}/oauth2/authorize", params=params), "application/json")


@check("a bearer token of the blocked application is a hint: userinfo is closed once it moved outside")
def _():
    party, _, endpoints, token = sign_in(EDGE, OFFICE, APPLICATIONS["payroll"])
    bearer = {"Authorization": f"Bearer {token['id_token']}"}
    refused_page(browser(OUTSIDE).get(endpoints["userinfo_endpoint"], headers=bearer))
    assert browser(OFFICE).get(endpoints["userinfo_endpoint"], headers=bearer).headers["x-upstream"] == "idp"


@check("a refresh from outside is refused, and still good at the office")
def _():
    party, _, endpoints, token = sign_in(EDGE, OFFICE, APPLICATIONS["payroll"])
    refresh = party.token["refresh_token"]
    moved = relying_party(OUTSIDE, APPLICATIONS["payroll"])
    refused(Exception, lambda: moved.refresh_token(endpoints["token_endpoint"], refresh_token=refresh))
    assert party.refresh_token(endpoints["token_endpoint"], refresh_token=refresh)["access_token"]


@check("client credentials with a resource indicator: restricted and open, office and outside")
def _():
    assert grant(EDGE, OFFICE, AUDIENCES["restricted"])["access_token"]
    assert grant(EDGE, OUTSIDE, AUDIENCES["open"])["access_token"]
    assert grant(EDGE, OUTSIDE)["access_token"]
    refused(OAuthError, lambda: grant(EDGE, OUTSIDE, AUDIENCES["restricted"]), token_refused(OUTSIDE["forwarded"]))


@check("client credentials: `audience` and `scope=target-entity:` name a resource server as well")
def _():
    restricted = AUDIENCES["restricted"]
    for field, value in (("audience", restricted), ("scope", f"target-entity:{restricted}"), ("scope", f"target-entity:{restricted}:read")):
        body = {"grant_type": "client_credentials", field: value}
        answer = browser(OUTSIDE).post(f"{EDGE}/oauth2/token", data=body)
        assert answer.status_code == 400, (field, value, answer.status_code)
        assert answer.json()["error_description"] == f"Access from IP address {OUTSIDE['forwarded']} is not allowed."
        assert browser(OFFICE).post(f"{EDGE}/oauth2/token", data=body).headers["x-upstream"] == "idp"


@check("a body that cannot be looked into is refused where an ACL would block, and passes elsewhere")
def _():
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    # A valid gzip stream: httpx2 sends it as it is.
    packed = {"content": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", "headers": {**form, "Content-Encoding": "gzip"}}
    assert browser(OUTSIDE).post(f"{EDGE}/oauth2/token", **packed).status_code == 415
    assert browser(OFFICE).post(f"{EDGE}/oauth2/token", **packed).headers["x-upstream"] == "idp"
    long = {"content": b"grant_type=client_credentials&pad=" + b"x" * 70_000, "headers": form}
    assert browser(OUTSIDE).post(f"{EDGE}/oauth2/token", **long).status_code == 413
    assert browser(OFFICE).post(f"{EDGE}/oauth2/token", **long).headers["x-upstream"] == "idp"


@check("a blocked API key and an unknown one look alike: 401 and no body")
def _():
    blocked = browser(OUTSIDE).get(f"{EDGE}/api/user", headers={"Authorization": PEERS["api_keys"]["office"]})
    unknown = browser(OUTSIDE).get(f"{EDGE}/api/user", headers={"Authorization": "unknown"})
    assert (blocked.status_code, blocked.content) == (unknown.status_code, unknown.content) == (401, b"")
    assert "x-upstream" not in blocked.headers and unknown.headers["x-upstream"] == "idp"


@check("no answer of the gateway names a product or its version")
def _():
    answers = [
        browser(OUTSIDE).get(f"{EDGE}/oauth2/authorize", params={"client_id": APPLICATIONS["payroll"]["client_id"]}),
        browser(OUTSIDE).get(f"{EDGE}/echo/closed/"),
        browser(OUTSIDE).get(f"{EDGE}/api/user", headers={"Authorization": PEERS["api_keys"]["office"]}),
    ]
    for answer in answers:
        assert "server" not in answer.headers and "via" not in answer.headers, answer.headers
        assert not re.search(r"aclgate|hyper|oidc-provider|127\.0\.0\.1", answer.text), answer.text


@check("real source addresses: the allowed host signs in, the other is blocked")
def _():
    whole_life(PEER, SECOND_HOST, APPLICATIONS["storefront"])
    refused_page(browser(THIRD_HOST).get(f"{PEER}/oauth2/authorize", headers={"X-Forwarded-For": SECOND_HOST["source"]}))
    assert grant(PEER, SECOND_HOST, AUDIENCES["restricted"])["access_token"]


summary()
