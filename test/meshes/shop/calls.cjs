// Calls the api through the sidecar, ten times a second, and prints the status of each answer.
const { get } = require("node:http");
const proxy = new URL(process.env.http_proxy);
const credentials = Buffer.from(`${proxy.username}:${proxy.password}`).toString("base64");
const headers = { host: "api:8080", "proxy-authorization": `Basic ${credentials}` };
const { hostname: host, port } = proxy;
setInterval(() => {
  get({ host, port, path: "http://api:8080/", headers, agent: false }, (response) => {
    response.resume();
    console.log(response.statusCode);
  }).on("error", ({ code }) => console.log(code));
}, 100);
