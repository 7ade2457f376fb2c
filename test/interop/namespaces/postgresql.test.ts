/** PostgreSQL as it comes from its packages, in a mesh that demands mutual TLS: as an example, and as a shop's database. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { missingParts } from "../../kit/missing-parts.ts";
import { type OrdinaryUser, ordinaryUser } from "../../kit/ordinary-user.ts";
import { until } from "../../kit/until.ts";
import { writtenEntries } from "../../kit/written-entries.ts";

const skip = missingParts("postgresql", "psql") || (await namespacesMissing());
const SERVER_CLOSED = /server closed the connection unexpectedly/;

/** As `examples/production/with-postgresql/README.md` puts them together. */
const PARTS_OF_SHOP = [
  ["examples/production", "."],
  ["examples/production/with-postgresql", "."],
  ["examples/postgresql/images.yaml", "images.yaml"],
  ["examples/postgresql/programs", "programs"],
] as const;

const isAllowed = ({ decision }: AccessLogEntry): boolean => decision?.verdict === "allow";
const isDenied = ({ decision }: AccessLogEntry): boolean => decision?.verdict === "deny";

describe("examples/postgresql", { skip }, () => {
  let mesh: MeshInNamespaces;

  before(async () => {
    mesh = await MeshInNamespaces.start({ folders: ["examples/postgresql"] });
  });
  after(() => mesh?.remove());

  /** How often the api has ordered, by what the database answered it last. */
  async function orders(): Promise<number> {
    const log = await mesh.read("logs/shop/api-0/api.log");
    return Number([...log.matchAll(/^orders: (\d+)$/gm)].at(-1)?.[1] ?? 0);
  }

  test("psql with the identity that may reaches the database, over mutual TLS", async () => {
    await until("two orders", async () => (await orders()) >= 2);
    const [entry] = await writtenEntries(mesh, { pod: "shop/postgres-0", matches: isAllowed });
    const [api, postgres] = await Promise.all([
      mesh.addresses("shop/api-0"),
      mesh.addresses("shop/postgres-0"),
    ]);
    assert.deepEqual(
      [entry?.protocol, entry?.source_principal, entry?.decision?.reason.because],
      ["TCP", "spiffe://cluster.local/ns/shop/sa/api", "matched-allow"],
    );
    assert.equal(entry?.downstream_local_address, `${postgres.ipv4}:5432`);
    assert.ok(entry?.downstream_remote_address?.startsWith(`${api.ipv4}:`));
  });

  test("with another identity, and the right password, it gets not one byte", async () => {
    const isReports = ({ source_principal }: AccessLogEntry): boolean =>
      source_principal === "spiffe://cluster.local/ns/shop/sa/reports";
    const entries = await writtenEntries(mesh, { pod: "shop/postgres-0", matches: isReports });
    for (const { decision, bytes_sent } of entries) {
      assert.deepEqual([decision?.reason.because, bytes_sent], ["no-allow-matched", 0]);
    }
    const log = await mesh.read("logs/shop/reports-0/reports.log");
    assert.match(log, SERVER_CLOSED);
    assert.doesNotMatch(log, /gambeson|rows?\)/);
  });

  test("nobody was sent to it before pg_isready said so, in its own pod", async () => {
    const log = await mesh.read("logs/shop/postgres-0/postgres.log");
    assert.match(log, /database system is ready to accept connections/);
    assert.doesNotMatch(await mesh.read("logs/shop/api-0/api.log"), /Connection refused/);
  });

  test("its data folder is its own, and outlives the mesh", async () => {
    const folder = join(mesh.data, "claims/shop/data-postgres-0/pgdata");
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    const before = await orders();
    await mesh.down();
    await mesh.up();
    await until("one more order", async () => (await orders()) > before);
    assert.match(
      await mesh.read("logs/shop/postgres-0/postgres.log"),
      /database system was shut down at/,
    );
  });
});

describe("examples/production with PostgreSQL as its database", { skip }, () => {
  let mesh: MeshInNamespaces;
  let user: OrdinaryUser;

  before(async () => {
    user = await ordinaryUser();
    const shop = join(user.folder, "shop");
    for (const [from, to] of PARTS_OF_SHOP) await cp(from, join(shop, to), { recursive: true });
    mesh = await MeshInNamespaces.start({ folders: [shop] });
  });
  after(async () => {
    await mesh?.remove();
    await user?.remove();
  });

  test("the front page shows what the database holds, through ingress, frontend and api", async () => {
    const [, ingress] =
      /istio-ingress\/ingress:8080 from this machine: ([\d.:]+),/.exec(mesh.said) ??
      assert.fail(mesh.said);
    await until("the front page", async () => {
      const response = await fetch(`http://${ingress}/`);
      return (await response.text()) === "We have chain mail, gambeson.\n";
    });
    const [entry] = await writtenEntries(mesh, {
      pod: "production/database-0",
      matches: isAllowed,
    });
    assert.equal(entry?.source_principal, "spiffe://cluster.local/ns/production/sa/api");
  });

  /** psql of the user's own, which joins the mesh for as long as it takes. */
  async function psqlAs(serviceAccount: string): Promise<{ output: string; errors: string }> {
    const [program, ...rest] = user.hauberk;
    const child = spawn(
      program,
      [
        ...rest,
        ...["run", "--data", mesh.data, "--name", `psql-${serviceAccount}`, "-n", "production"],
        ...["--service-account", serviceAccount, "--"],
        ...[
          "psql",
          "postgresql://shop:chain-mail@database/shop",
          "-Atc",
          "SELECT count(*) FROM orders",
        ],
      ],
      { cwd: user.folder, env: user.environment, stdio: ["ignore", "pipe", "pipe"] },
    );
    let output = "";
    let errors = "";
    child.stdout.on("data", (part: Buffer) => {
      output += part.toString();
    });
    child.stderr.on("data", (part: Buffer) => {
      errors += part.toString();
    });
    await once(child, "close");
    return { output, errors };
  }

  test("psql joins as the api, and is answered", async () => {
    assert.equal((await psqlAs("api")).output, "2\n");
  });

  test("psql joins as the frontend, and is refused by the policy that keeps it from the database", async () => {
    const { output, errors } = await psqlAs("frontend");
    assert.equal(output, "");
    assert.match(errors, SERVER_CLOSED);
    const [entry] = await writtenEntries(mesh, { pod: "production/database-0", matches: isDenied });
    assert.deepEqual(
      [entry?.source_principal, entry?.decision?.reason.because],
      ["spiffe://cluster.local/ns/production/sa/frontend", "no-allow-matched"],
    );
  });
});
