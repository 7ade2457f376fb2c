/** Answers every request, once it has called each URL it was given. */
import { createServer } from "node:http";
import { call } from "./call.js";

const server = createServer(async (_request, response) => {
  await Promise.all(process.argv.slice(2).map(call));
  response.end("ok\n");
});
server.listen(Number(process.env.PORT), process.env.HOST);
