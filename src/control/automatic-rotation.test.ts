import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { intermediate, later, plugged } from "../../test/kit/authority-rings.ts";
import {
  type BuiltCertificate,
  buildCertificate,
  buildRevocationList,
} from "../../test/kit/certificate-builder.ts";
import { eventually } from "../../test/kit/eventually.ts";
import { type OperatedRing, operatedRing, SIDECAR } from "../../test/kit/operated-ring.ts";
import { AutomaticRotation, authorityIdOf } from "./automatic-rotation.ts";
import type { FolderChoice } from "./folder-choice.ts";

const DIRECTORY = "/etc/cacerts";
const TWO_LOOKS_MS = 1_100;
const east = buildCertificate({ subject: { organization: "East" } });
const west = buildCertificate({ subject: { organization: "West" } });

const below = (root: BuiltCertificate, serial: string, crlsPem: readonly string[] = []) =>
  plugged({ root, signing: intermediate(root, serial) }, { crlsPem });
const eastOne = below(east, "01");
const eastTwo = below(east, "02");
const westOne = below(west, "03");

interface Followed extends OperatedRing {
  readonly automatic: AutomaticRotation;
  doing(text: RegExp): Promise<unknown>;
  /** `activate ID` */
  taken(): readonly string[];
}

async function follow(context: TestContext, first?: typeof eastOne): Promise<Followed> {
  return following(context, await operatedRing(context, first && { plugged: first }));
}

type Choices = Pick<
  ConstructorParameters<typeof AutomaticRotation>[0],
  "choiceFile" | "lastChoice"
>;

function following(context: TestContext, mesh: OperatedRing, choices: Choices = {}): Followed {
  const { ring, operations, log } = mesh;
  const automatic = new AutomaticRotation({
    directory: DIRECTORY,
    ring,
    operations,
    log,
    ...choices,
  });
  context.after(() => automatic.close());
  const doing = (text: RegExp): Promise<unknown> =>
    eventually(
      () => `${text}, not "${automatic.custom.doing}"`,
      () => text.test(automatic.custom.doing),
      { withinMs: 5_000 },
    );
  const taken = (): readonly string[] =>
    ring.history().map(({ step, authority }) => `${step} ${authority}`);
  return { ...mesh, automatic, doing, taken };
}

test("CA-46: another root goes through every phase, and each gate names who is waited for", async (context) => {
  const { automatic, ring, doing, states, catchUp, acknowledge, taken, log } =
    await follow(context);
  const [own] = ring.status();
  const id = authorityIdOf(westOne);
  assert.deepEqual(automatic.custom, { directory: DIRECTORY, doing: "not read yet" });
  automatic.offer(westOne);
  await doing(/^prepared; activate waits: shop\/api-0 has not acknowledged the newest roots$/);
  assert.equal(states(), "active, prepared");
  acknowledge();
  await doing(new RegExp(`^in force; .* revoke waits: ${SIDECAR} .*presents a certificate of`));
  assert.equal(states(), "active, tainted");
  catchUp();
  await doing(/^in force$/);
  assert.deepEqual(taken(), [
    `prepare ${id}`,
    `activate ${id}`,
    `taint ${own?.id}`,
    `revoke ${own?.id}`,
  ]);
  assert.equal(ring.status()[0]?.id, id);
  assert.equal(automatic.isInCharge, true);
  const said = log.find("custom authority").map(({ fields }) => fields["doing"]);
  assert.equal(new Set(said).size, said.length, "each thing is said once");
});

test("CA-47: under the same root activation waits for nobody, nobody is hurried, the former one goes last", async (context) => {
  const { automatic, doing, states, catchUp, disconnect, taken } = await follow(context, eastOne);
  disconnect();
  automatic.offer(eastTwo);
  await doing(/^in force; sidecars come over as they renew; revoke waits: shop\/api-0 /);
  assert.equal(states(), "active, retiring");
  catchUp();
  await doing(/^in force$/);
  assert.deepEqual(
    taken().map((step) => step.split(" ")[0]),
    ["prepare", "activate", "revoke"],
  );
});

test("CA-45: what is refused is said once, and over when the folder is good again", async (context) => {
  const { automatic, log, doing } = await follow(context, eastOne);
  automatic.refuse("ca-key.pem is missing");
  automatic.refuse("ca-key.pem is missing");
  assert.equal(automatic.custom.refused, "ca-key.pem is missing");
  assert.equal(automatic.isInCharge, false, "nothing good was read yet");
  automatic.refuse("ca-cert.pem is missing");
  const problems = log
    .find("the custom authority is refused")
    .map(({ fields }) => fields["problem"]);
  assert.deepEqual(problems, ["ca-key.pem is missing", "ca-cert.pem is missing"]);
  automatic.offer(eastOne);
  assert.equal(automatic.custom.refused, undefined);
  await doing(/^in force$/);
});

test("CA-46, CA-50: lists and roots that come with the authority in force are taken over without a step", async (context) => {
  const { automatic, ring, doing, taken } = await follow(context, eastOne);
  const crlsPem = [buildRevocationList(east, { revoked: [{ serialNumber: "7b" }] })];
  automatic.offer({ ...eastOne, crlsPem });
  await eventually("the list", () => ring.trust.current.crlsPem.length === 1);
  automatic.offer({ ...eastOne, crlsPem, rootsPem: [east.pem, west.pem] });
  await eventually("the other root", () => ring.trust.current.rootsPem.length === 2);
  await doing(/^in force$/);
  assert.deepEqual(taken(), []);
});

test("what was rolled back by hand is left until the folder changes", async (context) => {
  const { automatic, operations, doing, states, acknowledge } = await follow(context);
  automatic.offer(westOne);
  await doing(/activate waits/);
  await operations.take({ step: "rollback", gate: "ask", by: "a person" });
  await doing(/^rolled back by hand/);
  automatic.offer(westOne);
  await delay(TWO_LOOKS_MS);
  assert.equal(states(), "active", "the same again is no change");
  automatic.offer(eastOne);
  await doing(/activate waits/);
  acknowledge();
  await doing(/^in force/);
});

/** Where a control plane that is started again finds what the one before has seen. */
function choiceMemory() {
  const memory: { last: FolderChoice | undefined } = { last: undefined };
  const write = async (choice: FolderChoice): Promise<void> => {
    memory.last = choice;
  };
  return { memory, choices: (): Choices => ({ choiceFile: { write }, lastChoice: memory.last }) };
}

test("a rollback by hand stands over a restart; what came into the folder meanwhile, or into an empty one, is taken", async (context) => {
  const { memory, choices } = choiceMemory();
  const mesh = await operatedRing(context, { plugged: eastOne });
  const before = following(context, mesh, choices());
  before.automatic.offer(westOne);
  await before.doing(/activate waits/);
  await mesh.operations.take({ step: "rollback", gate: "ask", by: "a person" });
  await before.doing(/^rolled back by hand; .*`hauberk ca prepare --from FOLDER`$/);
  assert.match(before.automatic.custom.standstill ?? "", /^rolled back by hand/);
  before.automatic.close();

  const again = following(context, mesh, choices());
  again.automatic.offer(westOne);
  await again.doing(/^rolled back by hand/);
  again.automatic.close();

  const { last } = memory;
  const other = following(context, mesh, {
    ...choices(),
    lastChoice: last && { ...last, authority: "b" },
  });
  other.automatic.offer(westOne);
  await other.doing(/^prepared; activate waits/);
  assert.equal(other.automatic.custom.standstill, undefined);
  await mesh.operations.take({ step: "rollback", gate: "ask", by: "a person" });
  await other.doing(/^rolled back by hand/);
  other.automatic.close();

  const emptied = following(context, mesh, choices());
  emptied.automatic.empty();
  assert.match(emptied.automatic.custom.doing, /^the folder is empty/);
  emptied.automatic.offer(westOne);
  await emptied.doing(/^prepared; activate waits/);
});

test("a rollback during the taint of another is not undone, and `activate` is the way back to the folder's", async (context) => {
  const { automatic, operations, ring, doing, states, acknowledge } = await follow(
    context,
    eastOne,
  );
  const by = "a person";
  automatic.offer(westOne);
  await doing(/activate waits/);
  acknowledge();
  await doing(/^in force; .* revoke waits/);
  await operations.take({ step: "rollback", gate: "ask", by });
  assert.equal(automatic.custom.goesOn, undefined, "what was done a moment ago counts");
  await doing(/^rolled back by hand; .*`hauberk ca activate`$/);
  assert.equal(states(), "active, retiring");
  automatic.offer(eastOne);
  await doing(/^in force; .* revoke waits/);
  assert.equal(states(), "active, tainted");
  await operations.take({ step: "activate", gate: "forced", by });
  await doing(/^another was activated by hand; .*`hauberk ca rollback`$/);
  await delay(TWO_LOOKS_MS);
  assert.equal(ring.status()[0]?.id, authorityIdOf(westOne));
  assert.equal(automatic.custom.goesOn, undefined);
  automatic.offer(westOne);
  await doing(/^in force/);
  assert.equal(automatic.custom.goesOn, "by itself");
});

test("a step that is refused is said, and not tried on and on", async (context) => {
  const { automatic, doing, taken, log } = await follow(context);
  const signing = buildCertificate({ issuer: west, notAfter: later(-1) });
  automatic.offer(plugged({ root: west, signing }));
  await doing(/^prepare is refused: .*expired/);
  await delay(TWO_LOOKS_MS);
  assert.equal(log.find("custom authority").length, 1);
  assert.match(automatic.custom.refused ?? "", /expired/, "as a set that is bad in itself");
  assert.deepEqual(taken(), []);
  automatic.offer(westOne);
  await doing(/^prepared/);
  assert.equal(automatic.custom.refused, undefined);
});

test("once closed it takes no step", async (context) => {
  const { automatic, states, acknowledge, doing } = await follow(context);
  automatic.offer(westOne);
  await doing(/activate waits/);
  automatic.close();
  acknowledge();
  await delay(TWO_LOOKS_MS);
  assert.equal(states(), "active, prepared");
});

test("CA-50: a list that is gone from the folder stays in force, and that is told for as long as it is", async (context) => {
  const signing = intermediate(east, "05");
  const withLists = plugged({ root: east, signing }, { crlsPem: [buildRevocationList(east)] });
  const without = plugged({ root: east, signing });
  const { automatic, ring, doing, log } = await follow(context, withLists);
  automatic.offer(withLists);
  await doing(/^in force$/);
  automatic.offer(without);
  await eventually("the refusal", () => automatic.custom.refused !== undefined);
  await delay(TWO_LOOKS_MS);
  assert.match(automatic.custom.refused ?? "", /ca-crl\.pem is missing.*stays revoked/);
  assert.equal(automatic.custom.doing, "in force");
  assert.deepEqual(ring.trust.current.crlsPem, withLists.crlsPem);
  assert.equal(log.find("what comes with the custom authority is refused").length, 1);
  automatic.offer(withLists);
  await eventually("all is well", () => automatic.custom.refused === undefined);
});
