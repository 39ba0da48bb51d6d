export { GjsonLimitError, GjsonPathError } from './errors.ts'
export { compileGjson, type GjsonPath } from './gjson.ts'
