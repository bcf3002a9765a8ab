"""Named checks: a line for each, a summary, and an exit status that says how it went."""

import sys
import traceback

_results = []


def check(name):
    """Runs the decorated function at once."""

    def run(body):
        try:
            body()
        except Exception:
            print(f"FAILED  {name}: {traceback.format_exc()}", flush=True)
            _results.append(False)
        else:
            print(f"ok      {name}", flush=True)
            _results.append(True)

    return run


def summary():
    """Ends the process: 0 if something was checked and all of it held."""
    failed = _results.count(False)
    print(f"{len(_results) - failed} passed, {failed} failed", flush=True)
    sys.exit(0 if _results and not failed else 1)
