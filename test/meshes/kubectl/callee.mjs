/** Answers after a moment; ready a moment after it was started. */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  setTimeout(() => response.end(`ok ${request.url}\n`), 5);
});
setTimeout(() => server.listen(Number(process.env.PORT), process.env.HOST), 300);
