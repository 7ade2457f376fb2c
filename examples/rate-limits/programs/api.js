/** Answers whatever is asked; it knows nothing of limits. */
import { createServer } from "node:http";

createServer((_request, response) => response.end("hello\n")).listen(
  Number(process.env.PORT),
  process.env.HOST,
);
