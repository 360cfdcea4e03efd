"""An order that is confirmed through a mail server with STARTTLS and AUTH.

Called by scripts/mail-trial: mail_trial.py BINARIES KEYS TOKEN, with DATABASE_URL in the environment.
"""

import contextlib
import email
import email.policy
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

BINARIES, KEYS, TOKEN = sys.argv[1:]
NAME, PASSWORD = b"shop@shop.example", b"p@ss word/1"


class Inbox:
    """Keeps what it is sent, and who sent it."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):
        assert session.ssl is not None, "in the clear"
        assert session.authenticated, "by nobody"
        self.letters.append(envelope)
        return "250 taken"


def who_is_it(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (NAME, PASSWORD)
    return AuthResult(success=known)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(program, **environment):
    """A process of ours, and what it has logged so far, line by line."""
    log = []
    process = subprocess.Popen(
        [f"{BINARIES}/{program}"], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    )
    reader = threading.Thread(target=lambda: log.extend(process.stdout))
    reader.start()
    try:
        yield log
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.join()


def until(what, question, seconds=30):
    for _ in range(seconds * 10):
        with contextlib.suppress(OSError):
            if answer := question():
                return answer
        time.sleep(0.1)
    raise SystemExit(f"not within {seconds} s: {what}")


def main():
    # It is not amiss that somebody breaks off the handshake: one worker has to.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{KEYS}/server.pem", f"{KEYS}/server.key")
    inbox = Inbox()
    server = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=who_is_it,
    )
    server.start()
    http, ops = free_port(), free_port()
    base = f"http://127.0.0.1:{http}"
    worker = {
        "WORKER_OPS_ADDR": f"127.0.0.1:{free_port()}",
        "SMTP_URL": f"smtp://shop%40shop.example:p%40ss%20word%2F1@localhost:{server.port}?tls=required",
        "MAIL_FROM": "Shop <orders@shop.example>",
        "JOBS_RETRY_SECONDS": "0.2",
    }
    with running("gateway", HTTP_ADDR=f"127.0.0.1:{http}", OPS_ADDR=f"127.0.0.1:{ops}", RUST_LOG="warn"):
        until("the gateway answers", lambda: urllib.request.urlopen(f"{base}/readyz/"))
        basket = {"store_id": 1, "items": [{"product_id": 1, "quantity_requested": 2}]}
        order = urllib.request.Request(
            f"{base}/orders/",
            json.dumps({**basket, "customer_email": "ann@customer.example"}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
        )
        order = json.load(urllib.request.urlopen(order))

        def confirmation():
            return json.load(urllib.request.urlopen(f"{base}/orders/{order['id']}/"))["confirmation"]

        # A server under an authority that nobody knows may be anybody's.
        with running("worker", **worker) as log:
            until("the worker does not trust it", lambda: any("could not be talked to" in line for line in log))
        assert not inbox.letters and confirmation()["state"] == "pending"

        with running("worker", SSL_CERT_FILE=f"{KEYS}/ca.pem", **worker):
            until("the confirmation is sent", lambda: confirmation()["state"] == "sent")
    server.stop()

    assert len(inbox.letters) == 1, inbox.letters
    envelope = inbox.letters[0]
    assert (envelope.mail_from, envelope.rcpt_tos) == ("orders@shop.example", ["ann@customer.example"])
    letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert letter["Message-ID"] == f"<order-1-{order['id']}@shop.example>", letter["Message-ID"]
    for kind in ["plain", "html"]:
        body = letter.get_body([kind]).get_content()
        assert "Grüner Tee" in body and "5.00" in body, body


main()
