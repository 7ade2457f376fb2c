/** The front page: it shows the orders that the api knows, and hands the request's id on. */
import { callHttp } from "./call-http.js";
import { takeOrders } from "./orders.js";
import { serveHttp } from "./serve-http.js";

serveHttp({
  "GET /": async ({ headers }) => {
    const { status, body } = await callHttp({
      service: "api:8080",
      path: "/api/v1/orders",
      headers: { "x-api-version": "v2", "x-request-id": headers["x-request-id"] },
    });
    if (status !== 200) return { status: 502, body: `the api answered ${status}\n` };
    return { body: `We have ${JSON.parse(body).join(", ")}.\n` };
  },
});
takeOrders();
