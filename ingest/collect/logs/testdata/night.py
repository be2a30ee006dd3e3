"""Drives an XMPP server through the night on which Paris goes back to winter time,
and prints what it did and when.

    night.py PORT CERTIFICATE CLOCK PROCESS [again]

CLOCK is the file that libfaketime sets the server's clock by, which begins at 23:30
and is moved here. At the end the PROCESS is killed with two sessions open; again is
what happens once it was started anew. Accounts are drive.py's.
"""
import asyncio
import os
import signal
import sys
import time

sys.dont_write_bytecode = True
from slixmpp.exceptions import IqError

from drive import Client

CLOCK, PROCESS, AGAIN = sys.argv[3], int(sys.argv[4]), len(sys.argv) > 5


def ahead():
    with open(CLOCK) as f:
        return int(f.read())


async def wait(minutes):
    """Lets so much time go by, for the server."""
    by = ahead() + 60 * minutes
    with open(CLOCK + ".new", "w") as f:
        f.write("%+d" % by)
    os.rename(CLOCK + ".new", CLOCK)
    await asyncio.sleep(0.3)


def say(account, what):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead()))
    print(account + "@localhost", what, at, flush=True)


async def done(client):
    """Waits until the server has done all that it was asked for and has an answer for:
    it writes of a stay that is resumed after it has said so."""
    try:
        await client["xep_0199"].ping("localhost", timeout=20)
    except IqError:
        pass  # an answer too


async def come(account, resume=False):
    client = Client(account, "pw" + account, resume)
    client.register_plugin("xep_0199")
    client.dial()
    await client.until("session_start")
    say(account, "login")
    client.send_presence()
    if resume:
        await client.until("sm_enabled")
    return client


async def go(client):
    say(client.account, "end")
    await client.disconnect()
    await asyncio.sleep(1)


async def refused(account):
    client = Client(account, "wrong")
    client.dial()
    await client.until("failed_all_auth")
    say(account, "refused")
    await client.until("disconnected")


async def night():
    ann = await come("ann")
    await wait(50)  # 0:20
    bob = await come("bob")
    await wait(50)  # 1:10
    await go(bob)
    await wait(90)  # 2:40
    await go(ann)
    await wait(10)  # 2:50
    bob = await come("bob")
    await wait(25)  # 2:15 again
    ann = await come("ann")
    await wait(20)  # 2:35
    await go(bob)
    await wait(20)  # 2:55
    await refused("bob")
    await wait(30)  # 3:25
    await go(ann)
    await wait(35)  # 4:00
    ann = await come("ann", resume=True)
    await wait(20)  # 4:20
    ann.transport.abort()
    await ann.until("disconnected")
    await wait(5)
    ann.dial()
    await ann.until("session_resumed")
    say("ann", "resumed")
    await done(ann)
    await wait(35)  # 5:00
    await go(ann)
    await wait(30)
    await come("bob")
    await wait(10)  # 5:40
    await come("ann")
    await wait(20)  # 6:00
    say("all", "killed")
    os.kill(PROCESS, signal.SIGKILL)
    await wait(60)  # 7:00


async def morning():
    await wait(10)
    ann = await come("ann")
    await wait(20)
    await go(ann)
    await wait(30)


asyncio.get_event_loop().run_until_complete(morning() if AGAIN else night())
