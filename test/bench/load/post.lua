-- wrk: POSTs with a body whose number of bytes is the first argument.
function init(args)
  wrk.method = "POST"
  wrk.body = string.rep("x", tonumber(args[1]))
end
