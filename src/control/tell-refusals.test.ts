import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { ProxyRefusal, RefusedResource } from "./refused-resources.ts";
import {
  LOOK_EVERY_MS,
  LOOKS_TO_FORGET,
  LOOKS_TO_FORGET_EARLIER,
  refusedView,
  tellRefusals,
} from "./tell-refusals.ts";

const VIEW = workloadView({
  rootsPem: [],
  ports: [],
  policies: [policy("ALLOW", "readers", {}), policy("DENY", "nobody", {})],
});

/** Of one policy, as Envoy names it. */
function refusal(name: string, pod = "production/api-0"): ProxyRefusal {
  return { pod, what: "authorization", error: `bad ns[production]-policy[${name}]-rule[0]` };
}

const NOBODY: ProxyRefusal = refusal("nobody");
const READERS: ProxyRefusal = refusal("readers");
const BOTH = ["AuthorizationPolicy nobody", "AuthorizationPolicy readers", "Pod api-0"];
const ONE = ["AuthorizationPolicy nobody", "Pod api-0"];

class Stage {
  refusals: readonly ProxyRefusal[] = [];
  /** Each time something was told. */
  readonly told: (readonly RefusedResource[])[] = [];
  readonly close: () => void;

  constructor(before: readonly RefusedResource[] = []) {
    this.close = tellRefusals({
      refusals: () => this.refusals,
      viewOf: () => VIEW,
      before,
      tell: (resources) => this.told.push(resources),
    });
  }

  /** What was told while it was looked so often. */
  look(times = 1): readonly (readonly string[])[] {
    const before = this.told.length;
    for (let look = 0; look < times; look++) mock.timers.tick(LOOK_EVERY_MS);
    return this.told.slice(before).map((told) => told.map(({ ref }) => `${ref.kind} ${ref.name}`));
  }
}

describe("what proxies refuse", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setInterval"] }));
  afterEach(() => mock.timers.reset());

  test("is told at the next look, and once", () => {
    const stage = new Stage();
    assert.deepEqual(stage.look(3), []);
    stage.refusals = [NOBODY];
    assert.deepEqual(stage.look(3), [ONE]);
    stage.refusals = [NOBODY, READERS];
    assert.deepEqual(stage.look(3), [BOTH]);
  });

  test("is gone once nobody has refused it for so long", () => {
    const stage = new Stage();
    stage.refusals = [NOBODY, READERS];
    stage.look();
    stage.refusals = [NOBODY];
    assert.deepEqual(stage.look(LOOKS_TO_FORGET - 1), [BOTH], "with other words alone");
    assert.deepEqual(stage.look(), [ONE]);
    stage.refusals = [];
    assert.deepEqual(stage.look(LOOKS_TO_FORGET - 1), []);
    assert.deepEqual(stage.look(), [[]]);
    assert.deepEqual(stage.look(LOOKS_TO_FORGET_EARLIER), []);
  });

  test("stays while a proxy is away and comes back, however often", () => {
    const stage = new Stage();
    stage.refusals = [NOBODY];
    stage.look();
    for (let time = 0; time < 3; time++) {
      stage.refusals = [];
      assert.deepEqual(stage.look(LOOKS_TO_FORGET - 1), []);
      stage.refusals = [NOBODY];
      assert.deepEqual(stage.look(), []);
    }
  });

  test("is told in new words at once", () => {
    const stage = new Stage();
    stage.refusals = [NOBODY, refusal("nobody", "production/api-1")];
    stage.look();
    stage.refusals = [NOBODY];
    stage.look();
    const pods = stage.told.map(([first]) => first?.message.match(/production\/api-\d/g));
    assert.deepEqual(pods, [["production/api-0", "production/api-1"], ["production/api-0"]]);
  });

  test("outlives the control plane: what an earlier one told stands until proxies have come back", () => {
    const earlier = new Stage();
    earlier.refusals = [NOBODY, READERS];
    earlier.look();
    earlier.close();
    const stage = new Stage(earlier.told.at(-1));
    assert.deepEqual(stage.look(LOOKS_TO_FORGET + 1), [], "no proxy is back");
    stage.refusals = [NOBODY];
    const left = LOOKS_TO_FORGET_EARLIER - LOOKS_TO_FORGET - 1;
    assert.deepEqual(stage.look(left - 1), [BOTH], "with other words alone");
    assert.deepEqual(stage.look(), [ONE]);
    stage.refusals = [];
    assert.deepEqual(stage.look(LOOKS_TO_FORGET), [[]], "as any other");
  });

  test("is told no more after the end", () => {
    const stage = new Stage();
    stage.close();
    stage.refusals = [NOBODY];
    assert.deepEqual(stage.look(3), []);
  });
});

test("of our own sidecars, one that refuses refuses its view", () => {
  const name = "production/api-0";
  assert.deepEqual(refusedView({ name }), []);
  assert.deepEqual(refusedView({ name, nackedError: "no" }), [
    { pod: name, what: "view", error: "no" },
  ]);
});
