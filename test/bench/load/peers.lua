-- wrk: GETs through as many peers as its second argument says, all of which are one relay at the port of the first.
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
