// Stands in for make-fetch-happen in the compatibility suite, whose router address is fixed at localhost:4000:
// the router listens on a free port instead, so that nothing on the machine is in the way.
const router = process.env.ROUTER_URL;
module.exports = (url, options) => fetch(url === "http://localhost:4000/" ? router : url, options);
