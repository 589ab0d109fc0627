-- wrk: GETs through a number of peers (the second argument). All are names of one relay, on the port in the first
-- argument.
local requests = {}
local at = 0

function init(args)
  for peer = 1, tonumber(args[2]) do
    wrk.headers["x-mte-upstream"] = "http://127.0.0." .. peer .. ":" .. args[1]
    requests[peer] = wrk.format()
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
