"""Starlette under uvicorn."""

import judge
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def answering(resource):
    async def answer(request):
        body = await request.body()
        kind = request.headers.get("content-type", "")
        form, parsed = {}, {}
        try:
            form = judge.of_pairs((await request.form()).multi_items()) if body else {}
        except Exception:
            form = {}
        if "json" in kind:
            parsed = judge.of_json(body)
        heard = {name: ", ".join(request.headers.getlist(name)) for name in request.headers}
        text = judge.verdict(
            "starlette", resource, heard,
            query=judge.of_pairs(request.query_params.multi_items()), form=form, json=parsed,
            basic={"client_id": judge.basic_user(heard.get("authorization"))},
        )  # fmt: skip
        return Response(text, headers={"x-referee": "starlette"})

    return answer


def tree(resource):
    return Starlette(routes=[Route("/{rest:path}", answering(resource), methods=METHODS)])


app = Starlette(
    routes=[
        Route("/oauth2/authorize", answering("/oauth2/authorize"), methods=METHODS),
        Route("/oauth2/token", answering("/oauth2/token"), methods=METHODS),
        Mount("/account", tree("/account/")),
        Route("/api/v2/users", answering("/api/v2/users"), methods=METHODS),
        Route("/api/status", answering("/api/status"), methods=METHODS),
        Route("/{rest:path}", answering("other"), methods=METHODS),
    ]
)
