/** A small HTTP server: a table of pages, and a count of what was asked for. It listens where the mesh says. */
import { createServer } from "node:http";

/** `pages` has a function for each `METHOD PATH`, or for `*`; it gets the request and returns `{ status?, body }`. */
export function serveHttp(pages) {
  let count = 0;
  const metrics = () => ({ body: `http_requests_total ${count}\n` });
  const table = { "GET /metrics": metrics, ...pages };
  const notFound = () => ({ status: 404, body: "no such page\n" });

  const server = createServer(async (request, response) => {
    count += 1;
    console.log(`${request.method} ${request.url} ${request.headers["x-request-id"] ?? ""}`);
    const page = table[`${request.method} ${request.url}`] ?? table["*"] ?? notFound;
    try {
      const { status = 200, body } = await page(request);
      response.writeHead(status);
      response.end(body);
    } catch (error) {
      response.writeHead(502);
      response.end(`${error.code ?? error.message}\n`);
    }
  });
  server.listen(Number(process.env.PORT), process.env.HOST);
}
