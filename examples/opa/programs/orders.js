/** Says in which role OPA let the caller in: what a client writes into that header itself, OPA's word replaces. */
import { createServer } from "node:http";

createServer((request, response) => {
  response.end(`orders: ${request.method} as ${request.headers["x-role"]}\n`);
}).listen(Number(process.env.PORT), process.env.HOST);
