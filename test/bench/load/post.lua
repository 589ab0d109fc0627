-- wrk: a POST with a body of as many bytes as its first argument says.
function init(args)
  wrk.method = "POST"
  wrk.body = string.rep("x", tonumber(args[1]))
end
