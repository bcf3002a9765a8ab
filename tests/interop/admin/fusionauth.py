"""FusionAuth's Python client drives every operation of the management API. `ADMIN` is its URL, `POLICY` the file."""

import json
import os
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from checks import check, summary  # noqa: E402

from fusionauth.fusionauth_client import FusionAuthClient  # noqa: E402

URL, POLICY = os.environ["ADMIN"], Path(os.environ["POLICY"])
client = FusionAuthClient("the-admin-key", URL)
OFFICE = "fba75c7b-8c27-4cdd-840e-694d808d0aab"
TWO_RANGES = [
    {"action": "Block", "startIPAddress": "76.104.0.0", "endIPAddress": "76.104.255.255"},
    {"action": "Allow", "startIPAddress": "*"},
    {"action": "Block", "startIPAddress": "71.205.0.0", "endIPAddress": "71.205.255.255"},
]


def acl(name, entries=TWO_RANGES, **more):
    return {"ipAccessControlList": {"name": name, "entries": entries, **more}}


def done(response, name="ipAccessControlList"):
    assert response.status == 200, (response.status, response.error_response)
    return response.success_response[name] if name else response.success_response


def codes(response):
    assert response.status == 400, response.status
    errors = response.error_response
    assert set(errors) == {"fieldErrors", "generalErrors"}, errors
    items = [item for items in errors["fieldErrors"].values() for item in items] + errors["generalErrors"]
    assert all(item["message"] for item in items), items
    return sorted(item["code"] for item in items)


@check("create without an id, retrieve, delete")
def _():
    made = done(client.create_ip_access_control_list(acl("Block two specific ranges", data={"a": [1, {"b": "c"}]})))
    assert set(made) == {"name", "entries", "id", "insertInstant", "lastUpdateInstant", "data"}, made
    assert made["entries"] == [TWO_RANGES[1], TWO_RANGES[2], TWO_RANGES[0]], made
    assert made["insertInstant"] == made["lastUpdateInstant"] > 1_600_000_000_000
    assert done(client.retrieve_ip_access_control_list(made["id"])) == made
    gone = client.delete_ip_access_control_list(made["id"])
    assert (gone.status, gone.success_response, gone.response.content) == (200, None, b"")
    for response in (client.retrieve_ip_access_control_list(made["id"]), client.delete_ip_access_control_list(made["id"])):
        assert (response.status, response.response.content) == (404, b"")


@check("create with an id; update replaces; patch appends and removes")
def _():
    id = str(uuid.uuid4())
    made = done(client.create_ip_access_control_list(acl("one"), id))
    assert made["id"] == id
    assert codes(client.create_ip_access_control_list(acl("1"), id)) == ["[duplicate]ipAccessControlList.id"]
    assert codes(client.create_ip_access_control_list(acl("one"))) == ["[duplicate]ipAccessControlList.name"]
    star = [{"action": "Block", "startIPAddress": "*"}]
    changed = done(client.update_ip_access_control_list(id, acl("two", star)))
    assert changed["entries"] == star and changed["insertInstant"] == made["insertInstant"]
    assert changed["lastUpdateInstant"] >= made["lastUpdateInstant"]
    v6 = {"action": "Allow", "startIPAddress": "2001:db8::", "endIPAddress": "2001:db8::ff"}
    patched = done(client.patch_ip_access_control_list(id, {"ipAccessControlList": {"entries": [v6], "data": {"x": 1}}}))
    assert patched["entries"] == [*star, v6] and patched["name"] == "two" and patched["data"] == {"x": 1}
    assert "data" not in done(client.patch_ip_access_control_list(id, {"ipAccessControlList": {"data": None}}))
    assert client.update_ip_access_control_list(str(uuid.uuid4()), acl("x")).status == 404
    assert client.patch_ip_access_control_list(str(uuid.uuid4()), acl("x")).status == 404
    assert client.delete_ip_access_control_list(id).status == 200


@check("all that is wrong is said at once")
def _():
    entries = [{"action": "x", "startIPAddress": "10.0.0.9", "endIPAddress": "10.0.0.1"}]
    assert codes(client.create_ip_access_control_list(acl("", entries))) == [
        "[blank]ipAccessControlList.name",
        "[invalid]ipAccessControlList.entries[0].action",
        "[invalid]ipAccessControlList.entries[0].endIPAddress",
        "[missing]ipAccessControlList.entries",
    ]
    assert codes(client.create_ip_access_control_list({})) == [
        "[blank]ipAccessControlList.name",
        "[missing]ipAccessControlList.entries",
    ]


@check("search, by query and by body")
def _():
    ids = [done(client.create_ip_access_control_list(acl(name)))["id"] for name in ("Find me 1", "find ME 2", "other")]
    page = done(client.search_ip_access_control_lists_by_parameters(name="FIND"), None)
    assert [row["name"] for row in page["ipAccessControlLists"]] == ["Find me 1", "find ME 2"] and page["total"] == 2
    first = done(client.search_ip_access_control_lists_by_parameters("find*", number_of_results=1, order_by="name DESC", start_row=0), None)
    assert [row["name"] for row in first["ipAccessControlLists"]] == ["find ME 2"] and first["total"] == 2
    second = done(client.search_ip_access_control_lists_by_parameters("find*", number_of_results=1, order_by="name DESC", start_row=1), None)
    assert [row["name"] for row in second["ipAccessControlLists"]] == ["Find me 1"]
    criteria = {"search": {"name": "*2", "orderBy": "id ASC", "startRow": 0, "numberOfResults": 5}}
    assert [row["id"] for row in done(client.search_ip_access_control_lists(criteria), None)["ipAccessControlLists"]] == [ids[1]]
    newest = done(client.search_ip_access_control_lists({}), None)
    instants = [row["insertInstant"] for row in newest["ipAccessControlLists"]]
    assert newest["total"] == 4 and instants == sorted(instants, reverse=True)
    assert codes(client.search_ip_access_control_lists_by_parameters(order_by="colour")) == ["[invalid]search.orderBy"]
    for id in ids:
        assert client.delete_ip_access_control_list(id).status == 200


@check("API keys: shown once, restricted, released")
def _():
    made = done(client.create_api_key({"apiKey": {"name": "ci", "ipAccessControlListId": OFFICE}}), "apiKey")
    assert len(made["key"]) == 64 and made["ipAccessControlListId"] == OFFICE
    assert made["key"] not in POLICY.read_text()
    shown = done(client.retrieve_api_key(made["id"]), "apiKey")
    assert "key" not in shown and shown["ipAccessControlListId"] == OFFICE
    blocked = client.delete_ip_access_control_list(OFFICE)
    assert codes(blocked) == ["[inUse]ipAccessControlListId"]
    message = blocked.error_response["fieldErrors"]["ipAccessControlListId"][0]["message"]
    assert "API key `ci`" in message and "tenant `acme`" in message, message
    released = done(client.update_api_key(made["id"], {"apiKey": {"name": "ci"}}), "apiKey")
    assert "ipAccessControlListId" not in released
    patched = done(client.patch_api_key(made["id"], {"apiKey": {"ipAccessControlListId": OFFICE}}), "apiKey")
    assert patched["name"] == "ci" and patched["ipAccessControlListId"] == OFFICE
    mine = done(client.create_api_key({"apiKey": {"name": "mine", "key": "brought-along"}}, str(uuid.uuid4())), "apiKey")
    assert mine["key"] == "brought-along"
    assert codes(client.create_api_key({"apiKey": {"name": "mine", "key": "brought-along"}})) == ["[duplicate]apiKey.key", "[duplicate]apiKey.name"]
    unknown = client.create_api_key({"apiKey": {"ipAccessControlListId": str(uuid.uuid4())}})
    assert codes(unknown) == ["[invalid]apiKey.ipAccessControlListId"]
    for id in (made["id"], mine["id"]):
        assert client.delete_api_key(id).status == 200
        assert client.retrieve_api_key(id).status == 404


@check("tenants and applications")
def _():
    field = "accessControlConfiguration"
    tenant = done(client.create_tenant({"tenant": {"name": "t", field: {"uiIPAccessControlListId": OFFICE}, "issuer": "ignored"}}), "tenant")
    assert tenant[field] == {"uiIPAccessControlListId": OFFICE}
    assert done(client.retrieve_tenant(tenant["id"]), "tenant") == tenant
    assert tenant in done(client.retrieve_tenants(), "tenants")
    found = done(client.search_tenants({"search": {"name": "t"}}), None)
    assert found["total"] == 1 and found["tenants"] == [tenant]
    assert done(client.patch_tenant(tenant["id"], {"tenant": {"name": "u"}}), "tenant")[field] == {"uiIPAccessControlListId": OFFICE}
    assert done(client.update_tenant(tenant["id"], {"tenant": {"name": "t"}}), "tenant")[field] == {}
    id = str(uuid.uuid4())
    client.set_tenant_id(tenant["id"])
    application = done(client.create_application({"application": {"name": "a", field: {"uiIPAccessControlListId": OFFICE}}}, id), "application")
    client.set_tenant_id(None)
    assert (application["id"], application["tenantId"]) == (id, tenant["id"])
    assert application in done(client.retrieve_applications(), "applications")
    assert done(client.search_applications({"search": {"name": "a"}}), None)["applications"] == [application]
    assert codes(client.delete_tenant(tenant["id"])) == ["[inUse]tenantId"]
    removed = done(client.patch_application(id, {"application": {field: {"uiIPAccessControlListId": None}}}), "application")
    assert removed[field] == {} and removed["tenantId"] == tenant["id"]
    assert done(client.update_application(id, {"application": {"name": "b"}}), "application")["name"] == "b"
    assert client.delete_application(id).status == 200
    assert client.retrieve_application(id).status == 404
    assert client.delete_tenant(tenant["id"]).status == 200
    assert client.delete_tenant(tenant["id"]).status == 404


@check("strangers and readers")
def _():
    for key in ("wrong", ""):
        stranger = FusionAuthClient(key, URL).retrieve_ip_access_control_list(OFFICE)
        assert (stranger.status, stranger.response.content) == (401, b"")
    reader = FusionAuthClient("the-reader-key", URL)
    assert reader.retrieve_ip_access_control_list(OFFICE).status == 200
    assert reader.search_ip_access_control_lists({}).status == 200
    assert reader.create_ip_access_control_list(acl("x")).status == 403
    assert reader.delete_ip_access_control_list(OFFICE).status == 403


@check("comments stay, and every change is recorded")
def _():
    text = POLICY.read_text()
    assert "# The office.\n[[ip_acl]]" in text and "# the ground floor" in text
    records = [json.loads(line) for line in (POLICY.parent / "audit.jsonl").read_text().splitlines()]
    assert len(records) > 20 and {record["key"] for record in records} == {"ops"}
    assert {record["operation"] for record in records} == {"create", "update", "delete"}
    assert "brought-along" not in json.dumps(records)
    first = records[0]
    assert first["object"]["kind"] == "ipAccessControlList" and first["old"] is None and first["client"] == "127.0.0.1"
    assert first["new"]["name"] == first["object"]["name"] == "Block two specific ranges"


summary()
