/** Passes every request on, with the id it came with. */
import { callHttp } from "./call-http.js";
import { takeOrders } from "./orders.js";
import { serveHttp } from "./serve-http.js";

serveHttp({
  "*": ({ method, url, headers }) =>
    callHttp({
      service: process.env.FORWARD_TO,
      method,
      path: url,
      headers: { "x-request-id": headers["x-request-id"] },
    }),
});
takeOrders();
