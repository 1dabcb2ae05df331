// What the build takes for undici: the parts that src uses. All of it would be a third of the code that a start compiles,
// with caches, mocks, WebSocket and a fetch that loads Node's own copy too.
export { default as buildConnector } from "undici/lib/core/connect.js";
export { default as Pool } from "undici/lib/dispatcher/pool.js";
