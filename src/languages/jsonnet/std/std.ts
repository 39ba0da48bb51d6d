import type { Value } from '../runtime/values.ts'
import { arrays } from './arrays.ts'
import { encoding } from './encoding.ts'
import { manifest } from './manifest.ts'
import { math } from './math.ts'
import { objects } from './objects.ts'
import { parsers } from './parse.ts'
import { sets } from './sets.ts'
import { strings } from './strings.ts'
import { types } from './types.ts'

/** All members of the standard library that are the same for every program. */
export const standardLibrary: ReadonlyMap<string, Value> = new Map(
  [types, math, strings, arrays, sets, objects, encoding, parsers, manifest].flatMap((area) => Object.entries(area)),
)
