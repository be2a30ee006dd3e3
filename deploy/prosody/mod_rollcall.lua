-- Writes a line of JSON for each step of a client's session: who was refused or
-- signed on, when a session was opened, lost, resumed and closed, and when the
-- server started, since one that was killed told nothing of what was open. Prosody's
-- own log at level info tells neither a refusal nor a resumption.
--
--   plugin_paths = { "/usr/local/lib/prosody/modules" }
--   modules_enabled = { ...; "rollcall" }
--   rollcall_log = "/var/log/prosody/rollcall.jsonl"
--
-- Read it with: rollcall collect logs --source prosody-json --follow ...
-- Nothing is written of what anybody says, and no address or password.
local json = require "util.json";
local datetime = require "util.datetime".datetime;

local path = module:get_option_string("rollcall_log", "/var/log/prosody/rollcall.jsonl");
local file;

-- Whether a line can be written is nothing that a login depends on: an error
-- raised here would end it.
local function write(step, line)
	local _, err;
	if not file then
		file, err = io.open(path, "a");
	end
	if file then
		line.time, line.step = datetime(os.time()), step;
		file:write(json.encode(line), "\n");
		_, err = file:flush();
	end
	if err then
		module:log("error", "A step is missing in %s: %s", path, err);
	end
end

local function bare(session)
	return session.username and session.username .. "@" .. session.host or nil;
end

-- The log may be renamed: it is opened anew when Prosody is told to reload.
module:hook_global("config-reloaded", function ()
	if file then
		file:close();
		file = nil;
	end
end);

module:hook_global("server-started", function ()
	write("started", {});
end);

module:hook("authentication-success", function (event)
	write("accepted", { connection = event.session.id, account = bare(event.session) });
end);

module:hook("authentication-failure", function (event)
	local handler = event.session.sasl_handler;
	local name = handler and handler.username;
	write("refused", { connection = event.session.id, account = name and name .. "@" .. module.host or nil });
end);

module:hook("resource-bind", function (event)
	write("opened", { connection = event.session.id, account = bare(event.session), session = event.session.full_jid });
end);

-- A session keeps its name when another connection resumes it, so it is named
-- where it ends, and the connection isn't.
module:hook("smacks-hibernation-start", function (event)
	write("lost", { account = bare(event.origin), session = event.origin.full_jid });
end);

module:hook("smacks-hibernation-end", function (event)
	local resumed = event.resumed or event.origin;
	write("resumed", { connection = event.origin.id, account = bare(resumed), session = resumed.full_jid });
end);

module:hook("resource-unbind", function (event)
	write("closed", { account = bare(event.session), session = event.session.full_jid });
end);
