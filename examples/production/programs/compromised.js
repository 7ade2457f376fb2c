/** Tries, one after the other and again from the start, whatever might let it in. */
import { callHttp } from "./call-http.js";
import { callTcp } from "./call-tcp.js";
import { takeOrders } from "./orders.js";

const INTERVAL_MS = 15_000;
const DATABASE = {
  host: process.env.DATABASE_SERVICE_HOST,
  port: process.env.DATABASE_SERVICE_PORT,
};

const attempts = [
  () => callHttp({ service: "api:8080", path: "/healthz" }),
  () => callTcp({ ...DATABASE, line: "LIST" }),
  () => callHttp({ service: "frontend:8080", path: "/" }),
];

let turn = 0;
setInterval(async () => {
  const attempt = attempts[turn++ % attempts.length];
  try {
    console.log(JSON.stringify(await attempt()));
  } catch (error) {
    console.log(error.code ?? error.message);
  }
}, INTERVAL_MS);
takeOrders();
