import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { ExportedService } from "../policy/exported-services.ts";
import { Protocol } from "../wire/gen/hauberk/clusters/v1/remote_discovery_pb.ts";
import { packRemoteServices, unpackRemoteServices } from "../wire/remote-services.ts";
import {
  InvalidRemoteServicesError,
  readRemoteServices,
  writeRemoteServices,
} from "./remote-services-message.ts";

const EAST = { cluster: "east", trustDomain: "cluster.local" };
const name = fc.stringMatching(/^[a-z]{1,8}$/);
const port = fc.integer({ min: 1, max: 65_535 });
const plain = { noNullPrototype: true } as const;
const service: fc.Arbitrary<ExportedService> = fc.record(
  {
    namespace: name,
    name,
    identities: fc.array(name.map((account) => parseSpiffeId(`spiffe://td/ns/shop/sa/${account}`))),
    ports: fc.array(
      fc.record(
        {
          port,
          protocol: fc.constantFrom("http", "http2", "tcp", "auto"),
          endpoints: fc.array(
            fc.record(
              {
                workload: name,
                address: fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port }, plain),
                mutualTls: fc.boolean(),
              },
              plain,
            ),
          ),
        },
        plain,
      ),
    ),
  },
  plain,
);

test("law: what is written is read as it was, and equal services have one version", () => {
  fc.assert(
    fc.property(fc.array(service, { maxLength: 4 }), (services) => {
      const written = unpackRemoteServices(packRemoteServices(writeRemoteServices(services, EAST)));
      assert.deepEqual(readRemoteServices(written), services);
      assert.deepEqual([written.cluster, written.trustDomain], ["east", "cluster.local"]);
      const again = writeRemoteServices(structuredClone(services), EAST);
      assert.equal(again.version, written.version);
    }),
  );
});

const endpoint = { workload: "api-0", address: "127.0.0.1", port: 1, mutualTls: true };
const onPort = (change: object) => ({ ports: [{ port: 80, protocol: Protocol.TCP, ...change }] });
const FAULTS = [
  [{ name: "" }, /a name is empty/],
  [{ namespace: "x".repeat(254) }, /longer than 253/],
  [{ identities: ["shop/api"] }, /service shop\/api: an identity is none/],
  [onPort({ port: 0 }), /0 is no port/],
  [onPort({ port: 65_536 }), /65536 is no port/],
  [onPort({ protocol: Protocol.UNSPECIFIED }), /no such protocol: 0/],
  [onPort({ protocol: 9 }), /no such protocol: 9/],
  [onPort({ endpoints: [{ ...endpoint, address: "localhost" }] }), /"localhost" is no IP address/],
  [onPort({ endpoints: [{ ...endpoint, port: 0 }] }), /0 is no port/],
  [onPort({ endpoints: [{ ...endpoint, workload: "" }] }), /a name is empty/],
] as const;
for (const [change, problem] of FAULTS)
  test(`what has no sense is refused as a whole: ${JSON.stringify(change).slice(0, 60)}`, () => {
    const good = { namespace: "shop", name: "api" };
    const bytes = packRemoteServices({ ...EAST, services: [good, { ...good, ...change }] });
    assert.throws(
      () => readRemoteServices(unpackRemoteServices(bytes)),
      (error) => {
        assert.ok(error instanceof InvalidRemoteServicesError);
        assert.match(error.message, problem);
        return true;
      },
    );
  });
