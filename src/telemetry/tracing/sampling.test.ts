import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Dice } from "../../../test/kit/dice.ts";
import { isSampled, type Sampling } from "./sampling.ts";

const ID = (start: string): string => `${start}-0000-4000-8000-000000000000`;

function sampled(
  headers: Readonly<Record<string, string>>,
  sampling: Partial<Sampling> = {},
  chance: () => number = () => assert.fail("nothing is left to chance"),
): boolean {
  const all: Sampling = { sampledOf10000: 100, sampledBy: "request id", ...sampling };
  return isSampled(new Map(Object.entries(headers)), all, chance);
}

test("a request whose id falls below the share is sampled, and one whose id does not is not", () => {
  // 0x00002774 is 10100, and so 100 of 10,000
  const ids: [start: string, expected: boolean][] = [
    ["00000000", true],
    ["00000063", true],
    ["00000064", false],
    ["00002774", false],
    ["00002773", true],
    ["FFFFFFFF", false],
  ];
  for (const [start, expected] of ids) {
    assert.equal(sampled({ "x-request-id": ID(start) }), expected, start);
  }
});

test("an id that is no UUID, or is not to count, leaves it to chance", () => {
  for (const id of ["", "42", ID("0000000g"), `${ID("00000000")}0`]) {
    assert.equal(
      sampled({ "x-request-id": id }, {}, () => 0.0099),
      true,
    );
    assert.equal(
      sampled({ "x-request-id": id }, {}, () => 0.01),
      false,
    );
  }
  assert.equal(
    sampled({ "x-request-id": ID("00000000") }, { sampledBy: "chance" }, () => 0.5),
    false,
  );
});

test("who asks for a trace gets one, also where nothing else is sampled", () => {
  for (const name of ["x-envoy-force-trace", "x-client-trace-id"]) {
    assert.equal(sampled({ [name]: "1" }, { sampledOf10000: 0 }), true);
  }
  assert.equal(sampled({}, { sampledOf10000: 0 }), false);
});

for (const sampledOf10000 of [0, 1, 100, 2_500, 10_000]) {
  test(`of seeded throws about ${sampledOf10000} of 10,000 are sampled`, () => {
    const dice = new Dice(7);
    const sampling = { sampledOf10000, sampledBy: "chance" } as const;
    let found = 0;
    for (let call = 0; call < 100_000; call++) {
      if (sampled({}, sampling, () => dice.next())) found++;
    }
    const share = sampledOf10000 / 10_000;
    const deviation = Math.sqrt(100_000 * share * (1 - share));
    assert.ok(Math.abs(found - 100_000 * share) <= 4 * deviation, `${found}`);
  });
}

test("of one id all who sample at least as many decide at least as often", () => {
  const share = fc.nat({ max: 10_000 });
  fc.assert(
    fc.property(fc.uuid(), share, share, (id, one, other) => {
      const headers = { "x-request-id": id };
      const fewer = sampled(headers, { sampledOf10000: Math.min(one, other) });
      assert.ok(!fewer || sampled(headers, { sampledOf10000: Math.max(one, other) }));
    }),
  );
});
