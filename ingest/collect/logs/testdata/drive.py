"""Drives an XMPP server on loopback with slixmpp, and prints what it did.

    drive.py PORT CERTIFICATE

Accounts ann and bob of the host localhost have the passwords pwann and pwbob.
Each line printed is an account and what happened to it: login, refused, resumed, end.
"""
import asyncio
import ssl
import sys

from slixmpp import ClientXMPP

PORT, CERTIFICATE = int(sys.argv[1]), sys.argv[2]


class Client(ClientXMPP):
    def __init__(self, account, password, resume=False):
        super().__init__(account + "@localhost/home", password)
        self.account = account
        self.ca_certs = CERTIFICATE
        self.resume = resume
        self.happened = asyncio.Queue()
        if resume:
            self.register_plugin("xep_0198", {"allow_resume": True})
        for event in ("session_start", "session_resumed", "failed_all_auth", "disconnected", "sm_enabled", "sm_failed"):
            self.add_event_handler(event, lambda _, name=event: self.happened.put_nowait(name))

    async def until(self, *events):
        while True:
            name = await asyncio.wait_for(self.happened.get(), 20)
            if name in events:
                return name

    def dial(self):
        self.connect(("127.0.0.1", PORT), disable_starttls=False)


def say(account, what):
    print(account + "@localhost", what, flush=True)


async def stay(account, password, seconds=1.2):
    client = Client(account, password)
    client.dial()
    what = await client.until("session_start", "failed_all_auth")
    if what == "failed_all_auth":
        say(account, "refused")
        await client.until("disconnected")
        return
    say(account, "login")
    client.send_presence()
    await asyncio.sleep(seconds)
    await client.disconnect()
    say(account, "end")


async def resumed(account, password):
    client = Client(account, password, resume=True)
    client.dial()
    await client.until("session_start")
    say(account, "login")
    client.send_presence()
    await client.until("sm_enabled")
    await asyncio.sleep(1.2)
    client.transport.abort()
    await client.until("disconnected")
    await asyncio.sleep(1.2)
    client.dial()
    say(account, {"session_resumed": "resumed", "session_start": "login"}[await client.until("session_resumed", "session_start")])
    await asyncio.sleep(1.2)
    await client.disconnect()
    say(account, "end")


async def main():
    await stay("ann", "pwann")
    await stay("bob", "wrong")
    await stay("bob", "pwbob")
    await resumed("ann", "pwann")


if __name__ == "__main__":
    asyncio.get_event_loop().run_until_complete(main())
