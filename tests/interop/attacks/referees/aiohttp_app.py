"""aiohttp's own server."""

import sys

import judge
from aiohttp import web


def answering(resource):
    async def answer(request):
        body = await request.read()
        try:
            form = judge.of_pairs((await request.post()).items())
        except Exception:
            form = {}
        heard = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
        text = judge.verdict(
            "aiohttp", resource, heard,
            query=judge.of_pairs(request.query.items()), form=form,
            json=judge.of_json(body) if "json" in request.content_type else {},
            basic={"client_id": judge.basic_user(heard.get("authorization"))},
        )  # fmt: skip
        return web.Response(text=text, headers={"x-referee": "aiohttp"})

    return answer


app = web.Application()
for path in ("/oauth2/authorize", "/oauth2/token", "/api/v2/users", "/api/status"):
    app.router.add_route("*", path, answering(path))
app.router.add_route("*", "/account/{rest:.*}", answering("/account/"))
app.router.add_route("*", "/{rest:.*}", answering("other"))
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
