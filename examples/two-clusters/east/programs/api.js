/** Orders over HTTP; it knows nothing of the mesh but where to listen, and counts what reaches it. */
import { createServer } from "node:http";

const orders = ["chain mail", "gambeson"];

const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  if (request.method === "DELETE") orders.pop();
  response.end(`${JSON.stringify(orders)}\n`);
});
server.listen(Number(process.env.PORT), process.env.HOST);
