/** Reads the metrics of its targets, again and again. */
import { callHttp } from "./call-http.js";
import { takeOrders } from "./orders.js";

const INTERVAL_MS = 10_000;

async function scrape(service) {
  try {
    const { status, body } = await callHttp({ service, path: "/metrics" });
    console.log(`${service} ${status} ${body.trim()}`);
  } catch (error) {
    console.log(`${service} ${error.code ?? error.message}`);
  }
}

setInterval(() => {
  for (const service of process.env.TARGETS.split(" ")) scrape(service);
}, INTERVAL_MS);
takeOrders();
