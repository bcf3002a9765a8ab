"""Flask under gunicorn: WSGI, hence CGI's names of fields."""

import judge
from flask import Flask, Response, request

app = Flask(__name__, static_folder=None)
app.url_map.strict_slashes = False
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def answer(resource):
    body = request.get_data(cache=True)
    heard = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in request.environ.items()
        if name.startswith("HTTP_")
    }
    text = judge.verdict(
        "flask", resource, heard,
        query=judge.of_pairs(request.args.items(multi=True)), form=judge.of_pairs(request.form.items(multi=True)),
        json=judge.of_json(body) if request.is_json else {},
        basic={"client_id": [request.authorization.username] if request.authorization else []},
    )  # fmt: skip
    return Response(text, headers={"x-referee": "flask"})


def serve(rule, resource):
    app.add_url_rule(rule, rule, lambda rest=None: answer(resource), methods=METHODS)


for path in ("/oauth2/authorize", "/oauth2/token", "/api/v2/users", "/api/status"):
    serve(path, path)
serve("/account/", "/account/")
serve("/account/<path:rest>", "/account/")
serve("/", "other")
serve("/<path:rest>", "other")
