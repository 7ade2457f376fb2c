/** What kubectl sends for each object that it creates by itself, beside what it says that it sends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { JsonObject } from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import type { RecordedBody } from "../../kit/kubernetes/recorded-body.ts";
import type { RealApiServer } from "./real-api-server.ts";

const COMMANDS = [
  "create namespace shop",
  "create serviceaccount till",
  "create secret generic keys --from-literal=a=1 --from-literal=b=2",
  "create secret docker-registry registry --docker-username=u --docker-password=p",
  "create configmap settings --from-literal=a=1 --from-literal=b=2",
  "create deployment till --image=shop:1 --replicas=2 --port=8080 -- serve now",
  "create job count --image=shop -- count all",
  "create service clusterip till --tcp=80:8080 --tcp=443",
  "create service nodeport till --tcp=80 --node-port=30080",
  "create service externalname away --external-name=away.example",
  "create role reader --verb=get,list --resource=pods,configmaps",
  "create clusterrole reader --verb=get --resource=pods --resource-name=till",
  "create rolebinding readers --role=reader --user=ann --serviceaccount=shop:till --group=all",
  "create clusterrolebinding readers --clusterrole=reader --group=all",
];
const TOKEN = "create token till --audience=away.example --duration=1h";

/** @param real asked what there is; it is sent nothing */
export async function recordBodies(real: RealApiServer): Promise<RecordedBody[]> {
  const taken: Pick<RecordedBody, "contentType" | "body">[] = [];
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("base64");
      const { "content-type": contentType = "", accept = "" } = request.headers;
      if (request.method === "POST") {
        taken.push({ contentType, body });
        answer.writeHead(500).end();
        return;
      }
      real.call({ method: "GET", path: request.url ?? "/", accept }).then(
        ({ status, headers, body: found }) => {
          const type = String(headers["content-type"]);
          answer.writeHead(status, { "content-type": type }).end(JSON.stringify(found));
        },
        () => answer.destroy(),
      );
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const recorded: RecordedBody[] = [];
    for (const command of [...COMMANDS, TOKEN]) {
      await kubectl(port, command);
      const body = taken.pop();
      if (body === undefined) throw new Error(`kubectl ${command} sent nothing`);
      const shown =
        command === TOKEN ? undefined : await kubectl(port, `${command} --dry-run=client -o json`);
      recorded.push({
        command,
        ...body,
        ...(shown && { object: JSON.parse(shown) as JsonObject }),
      });
    }
    return recorded;
  } finally {
    server.close();
  }
}

/** @returns what it prints */
async function kubectl(port: number, command: string): Promise<string> {
  const [own = "", ofContainer] = command.split(" -- ");
  const [verb = "", ...rest] = command.includes("--dry-run")
    ? [...own.split(" "), ...(ofContainer === undefined ? [] : ["--dry-run=client", "-o", "json"])]
    : own.split(" ");
  const after =
    ofContainer === undefined ? [] : ["--", ...ofContainer.replace(/ --dry-run.*/, "").split(" ")];
  const server = ["--kubeconfig=/dev/null", `--server=http://127.0.0.1:${port}`, "-n", "shop"];
  const run = spawn("kubectl", [verb, ...rest, ...server, ...after], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
  });
  const [printed] = await Promise.all([text(run.stdout), once(run, "close")]);
  return printed;
}
