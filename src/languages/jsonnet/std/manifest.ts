import { Fault } from '../errors.ts'
import { isFunction } from '../runtime/function.ts'
import { DATA_LEVEL, type JsonStyle, jsonText, quote, toText } from '../runtime/json.ts'
import { numberText, shortestText } from '../runtime/numbers.ts'
import type { JsonnetObject } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import { asObject, isObject, typeName } from '../runtime/types.ts'
import { force, isArray, type Slot, type Value } from '../runtime/values.ts'
import { array, boolean, object, string, value } from './args.ts'
import { type Members, native } from './spec.ts'
import { deepJoin } from './strings.ts'
import { manifestToml } from './toml.ts'
import { manifestYaml } from './yaml.ts'

function style(indent: string, newline: string, colon: string): JsonStyle {
  return {
    indent,
    newline,
    colon,
    comma: ',',
    empty: (margin) => newline + newline + margin,
    number: shortestText,
  }
}

/** `None`, `True` and `False` instead of JSON's words. */
function python(given: Value, run: Run): string {
  if (given === null) return 'None'
  if (typeof given === 'boolean') return given ? 'True' : 'False'
  if (typeof given === 'number') return numberText(given)
  if (typeof given === 'string') return quote(given, run)
  if (isFunction(given)) throw new Fault('cannot manifest function')
  run.enter(DATA_LEVEL)
  const text = isArray(given)
    ? `[${given.map((item) => python(force(item, run), run)).join(', ')}]`
    : `{${members(given, run, (name, member) => `${quote(name, run)}: ${python(member, run)}`).join(', ')}}`
  run.leave(DATA_LEVEL)
  run.chars(text.length)
  return text
}

/** What a member costs, however short it is. */
const MEMBER_STEPS = 8

function members<T>(from: JsonnetObject, run: Run, make: (name: string, member: Value) => T): T[] {
  const names = from.visibleNames(run)
  run.spend(names.length * MEMBER_STEPS)
  return names.map((name) => make(name, from.get(name, run)))
}

/** Sections of `name = value` lines; a list makes one line per element. */
function ini(from: JsonnetObject, run: Run): string {
  const line = (name: string, given: Value): string => {
    const text = toText(given, run)
    run.chars(name.length + text.length)
    return `${name} = ${text}`
  }
  const body = (section: JsonnetObject): string[] =>
    members(section, run, (name, member) => {
      const values: readonly Slot[] = isArray(member) ? member : [member]
      run.spend(values.length)
      return values.map((slot) => line(name, force(slot, run)))
    }).flat()
  const main = from.hasVisible('main', run) ? body(asObject(from.get('main', run))) : []
  const sections = members(asObject(from.get('sections', run)), run, (name, section) => [
    `[${name}]`,
    ...body(asObject(section)),
  ])
  return [...main, ...sections.flat(), ''].join('\n')
}

function attribute(name: string, text: string, run: Run): string {
  run.chars(name.length + text.length)
  return ` ${name}="${text}"`
}

/** JSONML: an element is its tag, its attributes if any, and its children. */
function xml(given: Value, run: Run): string {
  if (typeof given === 'string') {
    run.chars(given.length)
    return given
  }
  if (!isArray(given)) throw new Fault(`Expected a JSONML value (an array), got ${typeName(given)}`)
  const [tag = null, second = null, ...rest] = given
  const attributes = given.length > 1 ? force(second, run) : null
  const named = isObject(attributes)
  const children = named || given.length < 2 ? rest : [second, ...rest]
  const pairs = named ? members(attributes, run, (name, member) => attribute(name, toText(member, run), run)) : []
  run.enter(DATA_LEVEL)
  const name = deepJoin(force(tag, run), run)
  const inner = children.map((child) => xml(force(child, run), run)).join('')
  run.leave(DATA_LEVEL)
  run.chars(inner.length)
  return `<${name}${pairs.join('')}>${inner}</${name}>`
}

const json = (params: Parameters<typeof native>[0], toStyle: (args: readonly Slot[], run: Run) => JsonStyle): Value =>
  native(params, (args, run) => jsonText(value(args, 0, run), run, toStyle(args, run)))

function yamlStream(args: readonly Slot[], run: Run): string {
  const given = value(args, 0, run)
  if (!isArray(given)) throw new Fault(`manifestYamlStream only takes arrays, got ${typeName(given)}`)
  const options = { indentArrays: boolean(args, 1, run), quoteKeys: boolean(args, 3, run) }
  const documents = given.map((item) => manifestYaml(force(item, run), run, options))
  return `---\n${documents.join('\n---\n')}${boolean(args, 2, run) ? '\n...\n' : '\n'}`
}

export const manifest: Members = {
  manifestJson: json(['value'], () => style('    ', '\n', ': ')),
  manifestJsonMinified: json(['value'], () => style('', '', ':')),
  manifestJsonEx: json(['value', 'indent', ['newline', '\n'], ['key_val_sep', ': ']], (args, run) =>
    style(string(args, 1, run), string(args, 2, run), string(args, 3, run)),
  ),
  manifestYamlDoc: native(['value', ['indent_array_in_object', false], ['quote_keys', true]], (args, run) => {
    const options = { indentArrays: boolean(args, 1, run), quoteKeys: boolean(args, 2, run) }
    return manifestYaml(value(args, 0, run), run, options)
  }),
  manifestYamlStream: native(
    ['value', ['indent_array_in_object', false], ['c_document_end', true], ['quote_keys', true]],
    yamlStream,
  ),
  manifestToml: native(['value'], (args, run) => manifestToml(value(args, 0, run), '  ', run)),
  manifestTomlEx: native(['value', 'indent'], (args, run) => {
    return manifestToml(value(args, 0, run), string(args, 1, run), run)
  }),
  manifestIni: native(['ini'], (args, run) => ini(object(args, 0, run), run)),
  manifestPython: native(['v'], (args, run) => python(value(args, 0, run), run)),
  manifestPythonVars: native(['conf'], (args, run) => {
    const lines = members(object(args, 0, run), run, (name, member) => `${name} = ${python(member, run)}`)
    return [...lines, ''].join('\n')
  }),
  manifestXmlJsonml: native(['value'], (args, run) => xml(array(args, 0, run), run)),
}
