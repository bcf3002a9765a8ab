"""What stands behind the proxies: says `reached` to whatever it is asked."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Reached(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.send_header("X-Upstream", "reached")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Reached).serve_forever()
