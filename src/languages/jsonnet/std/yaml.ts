import { Fault } from '../errors.ts'
import { isFunction } from '../runtime/function.ts'
import { DATA_LEVEL, quote } from '../runtime/json.ts'
import { shortestText } from '../runtime/numbers.ts'
import type { Run } from '../runtime/run.ts'
import { isObject } from '../runtime/types.ts'
import { force, isArray, type Value } from '../runtime/values.ts'

export interface YamlOptions {
  /** Whether a list in an object is indented. */
  readonly indentArrays: boolean
  /** Whether all keys are quoted, or only those that need it. */
  readonly quoteKeys: boolean
}

/** What a member costs beside its text: looking whether its key can stand without quotes takes long. */
const MEMBER_STEPS = 12

/** A value as a YAML document. */
export function manifestYaml(value: Value, run: Run, options: YamlOptions, margin = ''): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return shortestText(value)
  if (typeof value === 'string') return yamlString(value, run, margin)
  if (isFunction(value)) throw new Fault('Tried to manifest function')
  run.enter(DATA_LEVEL)
  const names = isArray(value) ? [] : value.visibleNames(run)
  run.spend(names.length * MEMBER_STEPS)
  const items = isArray(value)
    ? value.map((slot) => {
        const item = force(slot, run)
        const inner = isNested(item, run) ? `${margin}  ` : margin
        const space = isArray(item) && item.length > 0 ? `\n${inner}` : ' '
        return `-${space}${manifestYaml(item, run, options, inner)}`
      })
    : names.map((name) => {
        const member = value.get(name, run)
        const nested = isNested(member, run)
        const inner = nested && (!isArray(member) || options.indentArrays) ? `${margin}  ` : margin
        const key = options.quoteKeys || !isBareKey(name) ? quote(name, run) : name
        return `${key}:${nested ? `\n${inner}` : ' '}${manifestYaml(member, run, options, inner)}`
      })
  run.leave(DATA_LEVEL)
  if (items.length === 0) return isArray(value) ? '[]' : '{}'
  run.chars(items.reduce((sum, item) => sum + item.length + margin.length + 1, 0))
  return items.join(`\n${margin}`)
}

/** Text that ends in a line break is a block, all else is quoted. */
function yamlString(text: string, run: Run, margin: string): string {
  if (!text.endsWith('\n')) return quote(text, run)
  const lines = text.slice(0, -1).split('\n')
  run.chars(text.length + lines.length * (margin.length + 2))
  return ['|', ...lines].join(`\n${margin}  `)
}

function isNested(value: Value, run: Run): boolean {
  if (isArray(value)) return value.length > 0
  return isObject(value) && value.visibleNames(run).length > 0
}

const RESERVED: ReadonlySet<string> = new Set([
  'true',
  'false',
  'yes',
  'no',
  'on',
  'off',
  'y',
  'n',
  '.nan',
  '-.inf',
  '+.inf',
  '.inf',
  'null',
  '-',
  '---',
  '',
])

const count = (text: string, char: string): number => text.split(char).length - 1

/** Whether a key can stand without quotes: it looks like no number, date, boolean or null of YAML 1.1. */
function isBareKey(key: string): boolean {
  const lower = key.toLowerCase()
  const dashes = count(key, '-')
  if (!/^[a-zA-Z0-9_/.-]+$/.test(key) || RESERVED.has(lower)) return false
  if (/^[0-9-]+$/.test(key) && dashes === 2) return false
  if (/^[0-9_-]+$/.test(lower) && dashes < 2) return false
  if (/^[0-9b_-]+$/.test(lower) && /^-?0b/.test(key) && key.length > 2) return false
  if (/^[0-9e._-]+$/.test(lower) && count(key, '.') === 1 && dashes < 3 && count(lower, 'e') < 2) return false
  return !(/^[0-9a-fx_-]+$/.test(lower) && dashes < 2 && key.length > 2 && /^-?0x/.test(key))
}
