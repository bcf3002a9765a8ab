"""The queries of a Grafana dashboard as recording rules, for `promtool check rules`.

    queries.py DASHBOARD.json
"""

import json
import pathlib
import sys

dashboard = json.loads(pathlib.Path(sys.argv[1]).read_text())
queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
queries += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
known = {"$__rate_interval": "5m", "$job": ".*", "$instance": ".*"}
rules = []
for number, query in enumerate(queries):
    for variable, value in known.items():
        query = query.replace(variable, value)
    if "$" in query:
        sys.exit(f"an unknown variable: {query}")
    rules.append({"record": f"query:{number}", "expr": query})
# JSON is YAML.
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
