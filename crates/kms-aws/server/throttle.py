"""Passes requests on to a KMS on this machine; while a file is there, answers as AWS KMS does to who asks too
often.

throttle.py PORT TO FILE
"""

import http.client
import http.server
import os
import sys

PORT, TO, FILE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
REFUSAL = b'{"__type":"ThrottlingException","message":"You have exceeded the rate at which you may call KMS."}'


class Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if os.path.exists(FILE):
            return self.answer(400, "application/x-amz-json-1.1", REFUSAL)
        there = http.client.HTTPConnection("127.0.0.1", TO, timeout=30)
        there.request("POST", self.path, body, dict(self.headers))
        answer = there.getresponse()
        self.answer(answer.status, answer.headers["Content-Type"], answer.read())
        there.close()

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Gate).serve_forever()
