import { fn, type FunctionContext, type FunctionSpec } from '../spec.ts'

/** Names as a shell has them: in braces, one special character or digit, or a word. */
const variable = /\$(?:\{([^}]+)\}|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))/g

function expand(text: string, { host }: FunctionContext): string {
  return text.replace(
    variable,
    (_, braced?: string, special?: string, word?: string) => host.env(braced ?? special ?? word ?? '') ?? '',
  )
}

export const environment: Readonly<Record<string, FunctionSpec>> = {
  env: { ...fn(['string'], ({ host }, [name]) => host.env(name as string) ?? ''), volatile: true },
  expandenv: { ...fn(['string'], (context, [text]) => expand(text as string, context)), volatile: true },
}
