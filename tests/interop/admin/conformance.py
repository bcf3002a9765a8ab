"""schemathesis holds the management API to its own OpenAPI document. `ADMIN` is its URL, `KEY` its key."""

import os
import re
import subprocess
import sys
from pathlib import Path

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
EXAMPLES = os.environ.get("EXAMPLES", "25")

command = [
    Path(sys.executable).with_name("schemathesis"),
    "run",
    f"{os.environ['ADMIN']}/openapi.json",
    "--header",
    f"Authorization: {os.environ['KEY']}",
    "--checks",
    CHECKS,
    "--max-examples",
    EXAMPLES,
    "--seed",
    "1",
    # Wrong keys would be answered 429 before long, and nothing else be tested.
    "--generation-with-security-parameters",
    "false",
    "--phases",
    "examples,coverage,fuzzing,stateful",
    "--no-color",
]
ended = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
cases = re.search(r"(\d+) generated", ended.stdout)
fine = ended.returncode == 0 and cases and int(cases[1]) > 500 and "Rate limited" not in ended.stdout
if fine:
    print(f"ok      {cases[1]} requests: no 5xx, and no answer that the document does not have")
    print("1 passed, 0 failed")
else:
    print("FAILED  conformance", ended.stdout, ended.stderr, sep="\n")
    print("0 passed, 1 failed")
sys.exit(0 if fine else 1)
