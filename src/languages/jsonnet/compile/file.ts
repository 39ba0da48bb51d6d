import { Fault, JsonnetLimitError, JsonnetSyntaxError, locate } from '../errors.ts'
import type { Importer } from '../importer.ts'
import type { Limits } from '../limits.ts'
import { type Code, Scope } from '../runtime/code.ts'
import { type Field, JsonnetObject } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import { lazy } from '../runtime/thunk.ts'
import { force, type Slot, type Value } from '../runtime/values.ts'
import { standardLibrary } from '../std/std.ts'
import type { ImportKind } from '../syntax/ast.ts'
import { parse } from '../syntax/parser.ts'
import { Source } from '../syntax/source.ts'
import { compile } from './compile.ts'
import { Names } from './names.ts'
import { Place } from './place.ts'
import { compileTail } from './tail.ts'

/**
 * Compiles one file.
 * @returns what evaluates it
 * @throws JsonnetSyntaxError, JsonnetLimitError
 */
export function compileFile(source: Source, limits: Limits, importer: Importer | undefined): (run: Run) => Value {
  if (source.text.length > limits.source) {
    throw new JsonnetLimitError(`${source.file}: the source is longer than the limit of ${limits.source} characters`)
  }
  const root = new Names(undefined, ['std'])
  const importCode = (kind: ImportKind, path: string, at: number): Code => {
    if (importer === undefined) throw new JsonnetSyntaxError('import not available', source, at)
    return (_, run) => {
      try {
        return force(imported(kind, path, source.file, limits, importer, run), run)
      } catch (error) {
        throw locate(error, source, at)
      }
    }
  }
  const node = parse(source, limits.nesting)
  const body = Place.body({ source, std: standardLibrary, root, compile, compileTail, importCode }, root, node)
  const scope = new Scope(undefined, [stdObject(source.file)])
  return (run) => {
    run.enter(body)
    const value = body.code(scope, run)
    run.leave(body)
    return value
  }
}

function imported(kind: ImportKind, path: string, from: string, limits: Limits, importer: Importer, run: Run): Slot {
  const found = importer(path, from)
  if (found === undefined) throw new Fault(`couldn't open import ${JSON.stringify(path)}`)
  const { file, bytes } = found
  if (kind === 'importbin') {
    run.allocate(bytes.length)
    return [...bytes]
  }
  const text = new TextDecoder().decode(bytes)
  if (kind === 'importstr') {
    run.chars(text.length)
    return text
  }
  const known = run.imports.get(file)
  if (known !== undefined) return known
  const main = compileFile(new Source(file, text), limits, importer)
  const slot = lazy(main)
  run.imports.set(file, slot)
  return slot
}

/** `std` as an object: all its members are hidden. */
function stdObject(file: string): JsonnetObject {
  const fields = new Map<string, Field>()
  for (const [name, slot] of [...standardLibrary, ['thisFile', file] as const]) {
    fields.set(name, { visibility: 'hidden', value: { slot } })
  }
  return new JsonnetObject([{ fields }])
}
