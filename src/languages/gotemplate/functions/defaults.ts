import { GoError } from '../errors.ts'
import { deepEqual } from '../values/compare.ts'
import { encodeJson, type JsonStyle } from '../values/json.ts'
import { isEmpty } from '../values/truth.ts'
import { kindName, typeName } from '../values/types.ts'
import type { GoValue } from '../values/value.ts'
import { fn, type FunctionSpec, guard } from './spec.ts'

const compact: JsonStyle = { html: true, indent: '' }
const pretty: JsonStyle = { html: true, indent: '  ' }
const raw: JsonStyle = { html: false, indent: '' }

/** An encoder that gives an empty text for what cannot be encoded, or an error when `strict`. */
function encoder(style: JsonStyle, strict: boolean): FunctionSpec {
  return fn(['any'], ({ meter }, [value]) => {
    if (strict) return encodeJson(value, meter, style)
    return hasUnencodable(value) ? '' : encodeJson(value, meter, style)
  })
}

/** NaN and infinities can only be top-level results of arithmetic, or stand in lists and maps made from them. */
const hasUnencodable = (value: GoValue): boolean => typeof value === 'number' && !Number.isFinite(value)

function parseJson(text: string): GoValue {
  try {
    return JSON.parse(text) as GoValue
  } catch {
    throw new GoError('the text is not valid JSON')
  }
}

const isType = (target: string, value: GoValue): boolean => target === typeName(value)

/** sprig's defaults, JSON functions, reflection and control of flow. */
export const defaults: Readonly<Record<string, FunctionSpec>> = {
  default: guard(['any', '...any'], (_, [fallback, given]) => (isEmpty(given) ? fallback : given)),
  empty: guard(['any'], (_, [value]) => isEmpty(value)),
  coalesce: guard(['...any'], (_, args) => args.find((value) => !isEmpty(value)) ?? null),
  all: guard(['...any'], (_, args) => args.every((value) => !isEmpty(value))),
  any: guard(['...any'], (_, args) => args.some((value) => !isEmpty(value))),
  ternary: guard(['any', 'any', 'bool'], (_, [yes, no, test]) => (test === true ? yes : no)),
  fail: fn(['string'], (_, [message]) => {
    throw new GoError(message as string)
  }),

  fromJson: fn(['string'], ({ meter }, [text]) => {
    meter.spend((text as string).length >>> 4)
    try {
      return parseJson(text as string)
    } catch {
      return null
    }
  }),
  mustFromJson: fn(['string'], ({ meter }, [text]) => {
    meter.spend((text as string).length >>> 4)
    return parseJson(text as string)
  }),
  toJson: encoder(compact, false),
  mustToJson: encoder(compact, true),
  toPrettyJson: encoder(pretty, false),
  mustToPrettyJson: encoder(pretty, true),
  toRawJson: encoder(raw, true),
  mustToRawJson: encoder(raw, true),

  typeOf: guard(['any'], (_, [value]) => typeName(value)),
  typeIs: guard(['string', 'any'], (_, [target, value]) => isType(target as string, value)),
  typeIsLike: guard(['string', 'any'], (_, [target, value]) => {
    return isType(target as string, value) || isType(`*${target as string}`, value)
  }),
  kindOf: guard(['any'], (_, [value]) => kindName(value)),
  kindIs: guard(['string', 'any'], (_, [target, value]) => target === kindName(value)),
  deepEqual: guard(['any', 'any'], ({ meter }, [a, b]) => deepEqual(a, b, meter)),
}
