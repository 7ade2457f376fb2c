import assert from "node:assert/strict";
import { test } from "node:test";
import { inboundPort, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { EffectiveMutualTls } from "../policy/workload-view.ts";
import { inboundCluster } from "./inbound-call.ts";
import { InboundPorts } from "./inbound-ports.ts";

const strict: EffectiveMutualTls = { mode: "STRICT", origin: "default" };
const permissive: EffectiveMutualTls = { mode: "PERMISSIVE", origin: "default" };
const declared = inboundPort({ listen: 8080, application: 8080, mode: "STRICT" });
const view = workloadView({ rootsPem: [], ports: [declared] });
const ports = new InboundPorts({
  ...view,
  interception: {
    unknownDestinations: "ALLOW_ANY",
    undeclaredPorts: {
      mutualTls: permissive,
      ports: [
        { containerPort: 9999, mutualTls: strict },
        { containerPort: 8080, mutualTls: permissive },
      ],
    },
  },
});

test("PA-16 a declared port is what the view says, whatever else is said of its number", () => {
  assert.equal(ports.at(8080, "10.244.0.5"), declared);
  assert.equal(inboundCluster(declared), "inbound|8080||");
});

test("PA-17 an undeclared port may have a mode of its own", () => {
  assert.deepEqual(ports.at(9999, "10.244.0.5")?.mutualTls, strict);
});

test("PA-18 any other port has the workload's mode; what it speaks is found out", () => {
  const address = { address: "10.244.0.5", port: 7070 };
  const port = ports.at(7070, "10.244.0.5");
  assert.deepEqual(port, {
    containerPort: 7070,
    protocol: "auto",
    mutualTls: permissive,
    listen: address,
    application: address,
    undeclared: true,
  });
  assert.equal(inboundCluster(port), "InboundPassthroughCluster");
});

test("where not everything is intercepted there are no undeclared ports", () => {
  const few = new InboundPorts(view);
  assert.equal(few.at(7070, "10.244.0.5"), undefined);
  assert.equal(few.at(8080, "10.244.0.5"), declared);
});
