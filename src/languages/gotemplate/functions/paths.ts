import { fn, type FunctionSpec } from './spec.ts'

/** The shortest path that means the same (Go's path.Clean). */
function clean(path: string): string {
  if (path === '') return '.'
  const rooted = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!rooted) parts.push('..')
  }
  const joined = parts.join('/')
  return rooted ? `/${joined}` : joined === '' ? '.' : joined
}

function base(path: string): string {
  if (path === '') return '.'
  const last = path.split('/').findLast((part) => part !== '')
  return last ?? '/'
}

const dir = (path: string): string => clean(path.slice(0, path.lastIndexOf('/') + 1))

function ext(path: string): string {
  const dot = path.lastIndexOf('.')
  return dot > path.lastIndexOf('/') ? path.slice(dot) : ''
}

const of = (call: (path: string) => string | boolean): FunctionSpec =>
  fn(['string'], (_, [path]) => call(path as string))

const isAbsolute = of((path) => path.startsWith('/'))

/** sprig's functions of paths; those with `os` are the same, as on Linux. */
export const paths: Readonly<Record<string, FunctionSpec>> = {
  base: of(base),
  dir: of(dir),
  clean: of(clean),
  ext: of(ext),
  isAbs: isAbsolute,
  osBase: of(base),
  osDir: of(dir),
  osClean: of(clean),
  osExt: of(ext),
  osIsAbs: isAbsolute,
}
