/** Answers after a moment, or a long one; listens a moment after it was started, and ends at once when it is asked to. */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  setTimeout(() => response.end(`ok ${request.url}\n`), request.url === "/slow" ? 4_000 : 5);
});
setTimeout(() => server.listen(Number(process.env.PORT), process.env.HOST), 300);
