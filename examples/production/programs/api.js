/** Orders over HTTP; they are kept in the database, one connection a question. */
import { callTcp } from "./call-tcp.js";
import { takeOrders } from "./orders.js";
import { serveHttp } from "./serve-http.js";

const DATABASE = {
  host: process.env.DATABASE_SERVICE_HOST,
  port: process.env.DATABASE_SERVICE_PORT,
};

async function askDatabase(line) {
  const { answer } = await callTcp({ ...DATABASE, line });
  return answer;
}

serveHttp({
  "GET /api/v1/orders": async () => ({
    body: JSON.stringify((await askDatabase("LIST")).split(",")),
  }),
  "POST /api/v1/orders": async () => ({ status: 201, body: await askDatabase("ADD great helm") }),
  "POST /api/v2/batch/stocktaking": async () => ({ status: 202, body: await askDatabase("COUNT") }),
  "GET /api/v1/admin": () => ({ body: "here one could do anything\n" }),
  "GET /healthz": () => ({ body: "well\n" }),
});
takeOrders();
