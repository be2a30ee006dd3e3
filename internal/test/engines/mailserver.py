"""A mail server on a free port of loopback, which writes each mail that it takes
into a folder, and ends with its input. Arguments: the folder; plain, starttls or
tls; a certificate and its key where there is TLS."""
import asyncio, json, os, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

folder, how = sys.argv[1:3]
context = None
if how != "plain":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*sys.argv[3:5])


class Handler:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if os.path.exists(os.path.join(folder, "full")):
            return "452 4.3.1 the disk is full"
        Handler.count += 1
        name = os.path.join(folder, "%03d" % Handler.count)
        with open(name + ".eml", "wb") as f:
            f.write(envelope.original_content)
        with open(name + ".json", "w") as f:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos}, f)
        return "250 OK"


async def main():
    # It takes passwords without TLS too: only a careless client shows it one.
    def log_in(server, session, envelope, mechanism, data):
        with open(os.path.join(folder, "login"), "wb") as f:
            f.write(data.login + b" " + data.password)
        return AuthResult(success=data.password == b"hunter2", handled=False)

    starttls = context if how == "starttls" else None
    make = lambda: SMTP(Handler(), hostname="localhost", authenticator=log_in, auth_require_tls=False, tls_context=starttls)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context if how == "tls" else None)
    print("%s:%d" % server.sockets[0].getsockname(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
