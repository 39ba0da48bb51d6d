/** Prints a float64 as Go's `%v` does: shortest digits that read back, with an exponent below 1e-4 and from 1e6 on. */
export function formatFloat(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e6) return String(value)
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  return goExponent(value.toExponential())
}

/** Turns JavaScript's exponent notation into Go's, whose exponent has at least two digits. */
export function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}
