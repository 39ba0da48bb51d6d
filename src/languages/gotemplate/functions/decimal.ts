/** A decimal number: coefficient × 10^-scale. */
interface Decimal {
  readonly coefficient: bigint
  readonly scale: number
}

/** Digits behind the point of a quotient. */
const divisionScale = 16

/** The shortest decimal that reads back as a float64; zero for what is not finite. */
function decimal(value: number): Decimal {
  if (!Number.isFinite(value) || value === 0) return { coefficient: 0n, scale: 0 }
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?]
  const scale = fraction.length - Number(exponent)
  const coefficient = BigInt(whole + fraction)
  return scale < 0 ? { coefficient: coefficient * 10n ** BigInt(-scale), scale: 0 } : { coefficient, scale }
}

function toNumber({ coefficient, scale }: Decimal): number {
  return Number(`${coefficient}e${-scale}`)
}

function rescale({ coefficient, scale }: Decimal, to: number): bigint {
  return coefficient * 10n ** BigInt(to - scale)
}

function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  return { coefficient: rescale(a, scale) + rescale(b, scale), scale }
}

const negated = ({ coefficient, scale }: Decimal): Decimal => ({ coefficient: -coefficient, scale })

/** A quotient, rounded half away from zero; undefined for a division by zero. */
function divide(a: Decimal, b: Decimal): Decimal | undefined {
  if (b.coefficient === 0n) return undefined
  const shift = divisionScale + b.scale - a.scale
  const numerator = shift >= 0 ? a.coefficient * 10n ** BigInt(shift) : a.coefficient
  const denominator = shift >= 0 ? b.coefficient : b.coefficient * 10n ** BigInt(-shift)
  const quotient = numerator / denominator
  const remainder = numerator % denominator
  const roundsUp = 2n * abs(remainder) >= abs(denominator)
  const away = numerator < 0n === denominator < 0n ? 1n : -1n
  return { coefficient: roundsUp ? quotient + away : quotient, scale: divisionScale }
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value)

/** Adds, subtracts, multiplies or divides in decimal, so that 0.1 + 0.2 is 0.3; undefined for a division by zero. */
export function decimalArithmetic(
  operator: '+' | '-' | '*' | '/',
  first: number,
  others: readonly number[],
): number | undefined {
  let result = decimal(first)
  for (const other of others.map(decimal)) {
    if (operator === '+') result = add(result, other)
    else if (operator === '-') result = add(result, negated(other))
    else if (operator === '*') {
      result = { coefficient: result.coefficient * other.coefficient, scale: result.scale + other.scale }
    } else {
      const quotient = divide(result, other)
      if (quotient === undefined) return undefined
      result = quotient
    }
  }
  return toNumber(result)
}
