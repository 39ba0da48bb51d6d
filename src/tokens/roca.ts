/**
 * RSA keys that a library in widespread chips made of primes so special that the private half follows from the public one
 * (CVE-2017-15361, "The Return of Coppersmith's Attack").
 */

/** The primes by which such a modulus gives itself away; those that the library's primes are built on, from 3 on. */
const primes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/** By each of them both primes, and so their product, leave a power of 65537; a modulus made otherwise hardly ever does. */
const remainders = primes.map((prime): readonly [bigint, ReadonlySet<bigint>] => {
  const modulus = BigInt(prime)
  const powers = new Set<bigint>()
  for (let power = 1n; !powers.has(power); power = (power * 65_537n) % modulus) powers.add(power)
  return [modulus, powers]
})

/** Whether the modulus of an RSA key is of that kind. */
export function isRocaModulus(modulus: bigint): boolean {
  return remainders.every(([prime, powers]) => powers.has(modulus % prime))
}
