/** A small HTTP service; it knows nothing of the mesh but where to listen, and counts every request that reaches it. */
import { createServer } from "node:http";
import { takeOrders } from "./orders.js";

const orders = ["chain mail", "gambeson"];

const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url} ${request.headers["x-request-id"] ?? ""}`);
  response.setHeader("content-type", "application/json");
  if (request.url === "/api/orders") return response.end(JSON.stringify(orders));
  response.statusCode = 404;
  response.end(JSON.stringify({ error: "no such page" }));
});
server.listen(Number(process.env.PORT), process.env.HOST);
takeOrders();
