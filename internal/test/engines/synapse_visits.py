"""A module of Synapse's for tests: what Synapse does every five minutes it does when
it is asked. Its clock begins at a time, and goes on by days.

GET /rollcall?days=N writes the table user_daily_visits by Synapse's own code, then
sets the clock N days on.
"""
from twisted.internet import defer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET


class Visits(Resource):
    isLeaf = True

    def __init__(self, config, api):
        super().__init__()
        self.store = api._hs.get_datastores().main
        clock = api._hs.get_clock()
        real = clock.time
        self.ahead = config["begin"] - real()
        clock.time = lambda: real() + self.ahead
        self.store._last_user_visit_update = self.store._get_start_of_day()
        api.register_web_resource("/rollcall", self)

    def render_GET(self, request):
        async def write():
            await self.store._update_client_ips_batch()
            await self.store.generate_user_daily_visits()
            self.ahead += 86400 * int(request.args[b"days"][0])
            request.finish()

        defer.ensureDeferred(write())
        return NOT_DONE_YET
