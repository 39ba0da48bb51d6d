/** Decodes percent escapes; undefined when one is malformed. Bytes that are no UTF-8 become U+FFFD. */
export function unescapePercent(text: string): string | undefined {
  if (!text.includes('%')) return text
  const bytes: Buffer[] = []
  let at = 0
  for (let escape = text.indexOf('%'); escape !== -1; escape = text.indexOf('%', at)) {
    const digits = text.slice(escape + 1, escape + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined
    bytes.push(Buffer.from(text.slice(at, escape)), Buffer.of(Number.parseInt(digits, 16)))
    at = escape + 3
  }
  bytes.push(Buffer.from(text.slice(at)))
  return Buffer.concat(bytes).toString('utf8')
}

/** Escapes all bytes but letters, digits, `-_.~` and the characters given. */
export function escapePercent(text: string, keep: string): string {
  let out = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte)
    const stays = byte < 0x80 && (/^[A-Za-z0-9\-_.~]$/.test(char) || keep.includes(char))
    out += stays ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
