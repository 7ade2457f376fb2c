/**
 * RSA keys that verify signatures which anybody can make: a public exponent of 1, and moduli of a generator whose primes
 * were powers of 65537 (CVE-2017-15361, "ROCA"), which are told by their remainders.
 */
import type { KeyObject } from "node:crypto";

/** The generator's primes, up to which it was wrong for keys of all lengths. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const GENERATOR = 65_537;

/** For each prime, which remainders a power of the generator has. */
const POWERS: ReadonlyMap<number, ReadonlySet<number>> = new Map(
  PRIMES.map((prime) => [prime, powersModulo(prime)]),
);

/** @param key public */
export function isWeakRsaKey(key: KeyObject): boolean {
  const { publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return publicExponent < 3n || publicExponent % 2n === 0n || hasRocaModulus(key);
}

function hasRocaModulus(key: KeyObject): boolean {
  const { n = "" } = key.export({ format: "jwk" });
  const modulus = BigInt(`0x0${Buffer.from(n, "base64url").toString("hex")}`);
  return PRIMES.every((prime) => POWERS.get(prime)?.has(Number(modulus % BigInt(prime))));
}

function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * GENERATOR) % prime) powers.add(power);
  return powers;
}
