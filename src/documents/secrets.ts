/** Hides secrets in the lines that problems show: they end up in terminals, tickets and CI logs. */

const names = String.raw`(?:token|secrets?|passwords?|passphrase|api_?keys?|private_?key)`
const endsInSecret = new RegExp(`${names}$`, 'i')
const urlPassword = /(:\/\/[^\s/@:?#]*:)([^\s/@?#]+)(?=@)/g
/** A whole key, or key set, in a URL. */
const inlineKey = /(base64:\/\/)([\w+/=-]+)/g
const secretValue = new RegExp(
  String.raw`(${names}["']?\s*:\s*)("(?!\$\{)(?:[^"\\]|\\.)*"|'(?!\$\{)(?:[^']|'')*'|(?!\$\{|[|>][-+\d]*\s*$)[^\s"'[{,}\]][^\s,}\]]*)`,
  'gi',
)
const secretList = new RegExp(String.raw`(${names}["']?\s*:\s*\[)([^\]]*)`, 'gi')

/**
 * A line as it may be shown: as long as before, so that a caret stands where it stood. `isSecret`: what stands on it alone
 * belongs to a secret whose key is on another line.
 */
export function withoutSecrets(line: string, isSecret: boolean): string {
  if (isSecret) return hidden(line)
  const hide = (_whole: string, before: string, secret: string): string => before + '*'.repeat(secret.length)
  return line
    .replace(urlPassword, hide)
    .replace(inlineKey, hide)
    .replace(secretList, (_whole, before: string, items: string) => before + hidden(items))
    .replace(secretValue, hide)
}

/** Variables stay: they are how a secret should be written. */
function hidden(text: string): string {
  const [bullets = ''] = /^\s*(?:-\s+)*/.exec(text) ?? []
  const secret = text.slice(bullets.length)
  return bullets + secret.replace(/"\$\{[^}]*\}"|\$\{[^}]*\}|[^\s,]/g, (part) => (part.length > 1 ? part : '*'))
}

/** A key whose value goes on in the lines below. */
interface OpenKey {
  readonly column: number
  readonly isSecret: boolean
  /** The lines below are text, whatever they look like. */
  readonly isText: boolean
}

const keyAtStart = /^[{[\s]*(["']?)([^\s"'#,:{}[\]][^"':]*)\1\s*:(?=\s|$)/
/** Characters from the end of a line in which such a key is looked for: one line may be a whole file. */
const LONGEST = 300

/** The last key of a line on which no value, or only the beginning of one, follows it. */
const keyAtEnd = /(["']?)([\w.-]+)\1\s*:\s*(?:[&!]\S+\s+)*(\[|\{|[|>][-+\d]*)?\s*(?:#.*)?$/

/**
 * Numbers (from 0) of the lines on which a secret, or a part of one, stands without its key: block and folded text, items of
 * a list, quoted text over several lines. Goes by indentation, because texts that cannot be parsed are shown, too; a map
 * below such a key counts by the keys that it has itself.
 */
export function secretLines(lines: readonly string[]): ReadonlySet<number> {
  const secret = new Set<number>()
  const open: OpenKey[] = []
  let isBelowSecretKey = false
  for (const [number, line] of lines.entries()) {
    const start = line.search(/\S/)
    if (start === -1) continue
    const [bullets = ''] = /^(?:-\s+)*/.exec(line.slice(start)) ?? []
    const content = line.slice(start + bullets.length)
    // An item of a list may stand in the column of the key whose list it is.
    const isItem = bullets !== '' || content === '-'
    while (open.length > 0 && (isItem ? start < open.at(-1)!.column : start <= open.at(-1)!.column)) open.pop()
    const owner = open.at(-1)
    if (owner?.isText === true && start > owner.column) {
      if (owner.isSecret) secret.add(number)
      continue
    }
    const key = openKeyOf(content, start + bullets.length)
    if (key === undefined && (owner?.isSecret === true || isBelowSecretKey)) secret.add(number)
    if (key !== undefined) open.push(key)
    // JSON needs no indentation.
    isBelowSecretKey = key?.isSecret === true && /[:[]\s*$/.test(content)
  }
  return secret
}

function openKeyOf(content: string, column: number): OpenKey | undefined {
  const first = keyAtStart.exec(content)
  const last = keyAtEnd.exec(content.slice(-LONGEST))
  const name = last?.[2] ?? first?.[2]
  if (name === undefined) return undefined
  const isText = last?.[3]?.startsWith('|') === true || last?.[3]?.startsWith('>') === true
  return { column, isSecret: endsInSecret.test(name), isText }
}
