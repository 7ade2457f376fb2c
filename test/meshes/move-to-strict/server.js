/** Answers every request. */
import { createServer } from "node:http";

const server = createServer((_request, response) => response.end("hello"));
server.listen(Number(process.env.PORT), process.env.HOST);
