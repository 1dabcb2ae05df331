-- POSTs the bodies of the file BENCH_BODIES (one JSON text a line) in turn, from BENCH_CALLERS callers in turn whose
-- tokens begin with BENCH_TOKEN, each request with a name and a trace of its own, and checks the answers.
-- BENCH_HEADER: one more header line, or nothing.
local bodies, heads, turn = {}, {}, 0
local callers = tonumber(os.getenv("BENCH_CALLERS"))
local run = os.getenv("BENCH_RUN")
local format, floor = string.format, math.floor
local threads = {}
wrong = 0

function setup(thread)
  threads[#threads + 1] = thread
end

function init()
  for line in io.lines(os.getenv("BENCH_BODIES")) do
    bodies[#bodies + 1] = format("Content-Length: %d\r\n\r\n%s", #line, line)
  end
  local header = os.getenv("BENCH_HEADER")
  for caller = 0, callers - 1 do
    heads[caller] = format(
      "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAuthorization: Bearer %s%d\r\n%sX-Request-Id: ",
      wrk.path, wrk.headers["Host"], os.getenv("BENCH_TOKEN"), caller, header == "" and "" or header .. "\r\n")
  end
end

function request()
  local caller = (turn + floor(turn / #bodies)) % callers
  local body = bodies[turn % #bodies + 1]
  turn = turn + 1
  local id = format("%s%08x", run, turn)
  return heads[caller] .. id .. "\r\ntraceparent: 00-00000000" .. id .. "-" .. format("%016x", turn) .. "-01\r\n" .. body
end

function response(status, headers, body)
  if status ~= 200 or body:find('"errors":', 1, true) or not body:find('"identifier":"1', 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.timeout
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("wrong")
  end
  io.write(format(
    '\nBENCH {"operations":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed))
end
