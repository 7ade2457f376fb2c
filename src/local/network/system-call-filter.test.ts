import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { systemCallFilter } from "./system-call-filter.ts";

const X64 = 0xc000_003e;
const ARM64 = 0xc000_00b7;
const ALLOWED = 0x7fff_0000;
const REFUSED = 0x0005_0001;
const UNKNOWN = 0x0005_0026;
const NO_SUCH_FAMILY = 0x0005_0061;

interface Call {
  readonly architecture: number;
  readonly number: number;
  readonly argument?: number;
}

/** As the kernel runs it, as far as the program goes (BPF_LD, BPF_JMP and BPF_RET of classic BPF). */
function outcome(program: Buffer, { architecture, number, argument = 0 }: Call): number {
  const data: Readonly<Record<number, number>> = { 0: number, 4: architecture, 16: argument };
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const code = program.readUInt16LE(at * 8);
    const operand = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean): number => program.readUInt8(at * 8 + (holds ? 2 : 3));
    if (code === 0x20) accumulator = data[operand] ?? assert.fail(`nothing lies at ${operand}`);
    else if (code === 0x15) at += jump(accumulator === operand);
    else if (code === 0x35) at += jump(accumulator >= operand);
    else if (code === 0x45) at += jump((accumulator & operand) !== 0);
    else if (code === 0x05) at += operand;
    else if (code === 0x06) return operand;
    else assert.fail(`an instruction ${code}`);
  }
  return assert.fail("the program ran over its end");
}

const machines = [
  { name: "x64", architecture: X64, calls: { read: 0, keyctl: 250, clone: 56, unshare: 272 } },
  { name: "arm64", architecture: ARM64, calls: { read: 63, keyctl: 219, clone: 220, unshare: 97 } },
] as const;
const SOCKET = { x64: 41, arm64: 198 } as const;

for (const { name, architecture, calls } of machines) {
  const program = systemCallFilter(name) ?? assert.fail("there is no filter");
  const cases: [what: string, call: Omit<Call, "architecture">, expected: number][] = [
    ["read", { number: calls.read }, ALLOWED],
    ["keyctl", { number: calls.keyctl }, REFUSED],
    ["clone of a thread", { number: calls.clone, argument: 0x3d0f00 }, ALLOWED],
    ["clone with a user namespace", { number: calls.clone, argument: 0x1000_0011 }, REFUSED],
    ["clone3", { number: 435 }, UNKNOWN],
    ["io_uring_setup", { number: 425 }, UNKNOWN],
    ["unshare of files", { number: calls.unshare, argument: 0x400 }, ALLOWED],
    ["unshare of users", { number: calls.unshare, argument: 0x1002_0000 }, REFUSED],
    ["a Unix socket", { number: SOCKET[name], argument: 1 }, ALLOWED],
    ["an IPv6 socket", { number: SOCKET[name], argument: 10 }, ALLOWED],
    ["a netlink socket", { number: SOCKET[name], argument: 16 }, ALLOWED],
    ["a vsock socket", { number: SOCKET[name], argument: 40 }, NO_SUCH_FAMILY],
    ["a number of x32", { number: 0x4000_0000 | calls.read }, UNKNOWN],
  ];
  for (const [what, call, expected] of cases) {
    test(`${name}: ${what}`, () => {
      assert.equal(outcome(program, { architecture, ...call }), expected);
    });
  }

  test(`${name}: of another architecture nothing is known, and every call has an outcome`, () => {
    const word = fc.nat({ max: 0xffff_ffff });
    fc.assert(
      fc.property(word, word, word, (other, number, argument) => {
        fc.pre(other !== architecture);
        assert.equal(outcome(program, { architecture: other, number, argument }), UNKNOWN);
        const results = [ALLOWED, REFUSED, UNKNOWN, NO_SUCH_FAMILY];
        assert.ok(results.includes(outcome(program, { architecture, number, argument })));
      }),
    );
  });
}

test("for other machines there is none", () => {
  assert.equal(systemCallFilter("riscv64"), undefined);
});
