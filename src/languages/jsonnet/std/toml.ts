import { Fault } from '../errors.ts'
import { isFunction } from '../runtime/function.ts'
import { DATA_LEVEL, quote } from '../runtime/json.ts'
import { numberText } from '../runtime/numbers.ts'
import type { JsonnetObject } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import { isObject, typeName } from '../runtime/types.ts'
import { force, isArray, type JsonnetArray, type Value } from '../runtime/values.ts'

type Path = readonly (string | number)[]

/** A table in TOML 1.0, with that indentation per level. */
export function manifestToml(value: Value, indent: string, run: Run): string {
  if (!isObject(value)) throw new Fault(`TOML body must be an object. Got ${typeName(value)}`)
  const writer = new TomlWriter(indent, run)
  return writer.body(value, [], '')
}

class TomlWriter {
  readonly #indent: string
  readonly #run: Run

  constructor(indent: string, run: Run) {
    this.#indent = indent
    this.#run = run
  }

  /** The plain members, then each table and list of tables. */
  body(table: JsonnetObject, path: Path, margin: string): string {
    this.#run.enter(DATA_LEVEL)
    const plain: string[] = []
    const sections: string[] = []
    for (const name of table.visibleNames(this.#run)) {
      const value = table.get(name, this.#run)
      const inner = [...path, name]
      if (isObject(value)) sections.push(this.#section(value, inner, margin, '[', ']'))
      else if (isArray(value) && this.#isTableList(value)) {
        for (const item of value) {
          sections.push(this.#section(force(item, this.#run) as JsonnetObject, inner, margin, '[[', ']]'))
        }
      } else plain.push(`${margin}${this.#key(name)} = ${this.#value(value, inner, false, margin)}`)
    }
    this.#run.leave(DATA_LEVEL)
    return this.#join([this.#join(plain, '\n'), ...sections], '\n\n')
  }

  #section(table: JsonnetObject, path: Path, margin: string, open: string, close: string): string {
    const head = `${margin}${open}${path.map((part) => this.#key(String(part))).join('.')}${close}`
    const lineBreak = table.visibleNames(this.#run).length === 0 ? '' : '\n'
    return `${head}${lineBreak}${this.body(table, path, margin + this.#indent)}`
  }

  #value(value: Value, path: Path, inline: boolean, margin: string): string {
    if (typeof value === 'boolean') return String(value)
    if (typeof value === 'number') return numberText(value)
    if (typeof value === 'string') return quote(value, this.#run)
    if (value === null) throw new Fault(`Tried to manifest "null" at ${JSON.stringify(path)}`)
    if (isFunction(value)) throw new Fault(`Tried to manifest function at ${JSON.stringify(path)}`)
    this.#run.enter(DATA_LEVEL)
    const text = isArray(value) ? this.#list(value, path, inline, margin) : this.#inlineTable(value, path)
    this.#run.leave(DATA_LEVEL)
    return this.#checked(text)
  }

  #list(list: JsonnetArray, path: Path, inline: boolean, margin: string): string {
    if (list.length === 0) return '[]'
    const separator = inline ? ' ' : '\n'
    const inner = inline ? '' : margin + this.#indent
    const items = list.map((item, index) => {
      return inner + this.#value(force(item, this.#run), [...path, index], true, '')
    })
    return `[${separator}${this.#join(items, `,${separator}`)}${separator}${inline ? '' : margin}]`
  }

  #inlineTable(table: JsonnetObject, path: Path): string {
    const items = table.visibleNames(this.#run).map((name) => {
      return `${this.#key(name)} = ${this.#value(table.get(name, this.#run), [...path, name], true, '')}`
    })
    return `{ ${this.#join(items, ', ')} }`
  }

  #key(name: string): string {
    return /^[A-Za-z0-9_-]+$/.test(name) ? name : quote(name, this.#run)
  }

  #isTableList(list: JsonnetArray): boolean {
    return list.length > 0 && list.every((item) => isObject(force(item, this.#run)))
  }

  #join(parts: readonly string[], separator: string): string {
    this.#run.chars(parts.reduce((sum, part) => sum + part.length + separator.length, 0))
    return parts.join(separator)
  }

  #checked(text: string): string {
    this.#run.chars(text.length)
    return text
  }
}
