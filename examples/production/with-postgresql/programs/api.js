/** Orders over HTTP; they are kept in PostgreSQL, which is asked by psql. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { takeOrders } from "./orders.js";
import { serveHttp } from "./serve-http.js";

const run = promisify(execFile);

/** Where the database is, and as whom to come, psql finds in its environment. */
async function ask(sql) {
  const { stdout } = await run("psql", ["--no-psqlrc", "--csv", "--tuples-only", "--command", sql]);
  return stdout.trim().split("\n");
}

serveHttp({
  "GET /api/v1/orders": async () => ({
    body: JSON.stringify(await ask("SELECT item FROM orders ORDER BY id")),
  }),
  "POST /api/v1/orders": async () => {
    await ask("INSERT INTO orders (item) VALUES ('great helm')");
    return { status: 201, body: "added" };
  },
  "POST /api/v2/batch/stocktaking": async () => ({
    status: 202,
    body: (await ask("SELECT count(*) FROM orders")).join(),
  }),
  "GET /api/v1/admin": () => ({ body: "here one could do anything\n" }),
  "GET /healthz": () => ({ body: "well\n" }),
});
takeOrders();
