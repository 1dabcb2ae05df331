/** One run of autocannon in a process of its own: its options as JSON in BENCH_RUN, its figures as JSON out. */
import { readFileSync } from "node:fs";
import autocannon from "autocannon";

const { url, bodiesFile, token, connections, seconds } = JSON.parse(process.env.BENCH_RUN ?? "{}");
const bodies = bodiesFile ? readFileSync(bodiesFile, "utf8").trimEnd().split("\n") : null;
const headers = { authorization: `Bearer ${token}`, ...(bodies && { "content-type": "application/json" }) };
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  headers,
  method: bodies ? "POST" : "GET",
  ...(bodies?.length === 1 && { body: bodies[0] }),
  ...(bodies && bodies.length > 1 && { requests: bodies.map((body) => ({ method: "POST", headers, body })) }),
});
const answers = result["2xx"] + result.non2xx;
process.stdout.write(
  `BENCH ${JSON.stringify({
    requests: answers,
    durationUs: result.duration * 1e6,
    p50Us: result.latency.p50 * 1000,
    p99Us: result.latency.p99 * 1000,
    failed: result.errors + result.timeouts + result.non2xx,
  })}\n`,
);
