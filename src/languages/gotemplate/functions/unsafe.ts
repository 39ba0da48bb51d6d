import { fn, type FunctionContext, type FunctionSpec } from './spec.ts'

const secrets = 'shows environment variables, which may be secrets, to whoever can write a rule'
const cost = 'takes a great deal of time on purpose, which a gateway does not have per request'
const keys = 'makes keys or certificates, which is slow and leaves them in a token or header'

/** Functions of sprig that do not belong into a gateway, with the reason. */
const reasons: Readonly<Record<string, string>> = {
  env: secrets,
  expandenv: secrets,
  getHostByName: 'waits for the DNS',
  bcrypt: cost,
  htpasswd: cost,
  derivePassword: cost,
  encryptAES: 'encrypts with a password that stands in the template',
  decryptAES: 'decrypts with a password that stands in the template',
  genPrivateKey: keys,
  genCA: keys,
  genCAWithKey: keys,
  genSelfSignedCert: keys,
  genSelfSignedCertWithKey: keys,
  genSignedCert: keys,
  genSignedCertWithKey: keys,
  buildCustomCert: keys,
}

/** Names as a shell has them: in braces, one special character or digit, or a word. */
const variable = /\$(?:\{([^}]+)\}|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))/g

function expand(text: string, { host }: FunctionContext): string {
  return text.replace(
    variable,
    (_, braced?: string, special?: string, word?: string) => host.env(braced ?? special ?? word ?? '') ?? '',
  )
}

/** The unsafe functions that can be allowed by name. */
export const unsafe: Readonly<Record<string, FunctionSpec>> = {
  env: { ...fn(['string'], ({ host }, [name]) => host.env(name as string) ?? ''), volatile: true },
  expandenv: { ...fn(['string'], (context, [text]) => expand(text as string, context)), volatile: true },
}

/** Why an unsafe function is refused, and how it can be had; undefined when the name is not one of them. */
export function refusalOf(name: string): string | undefined {
  const reason = reasons[name]
  if (reason === undefined) return undefined
  const remedy = Object.hasOwn(unsafe, name) ? 'it must be allowed by name' : 'it is not available'
  return `function ${JSON.stringify(name)} is refused: it ${reason}; ${remedy}`
}

/** Of a refusal's reason: the function that could be allowed by name. */
export function allowableIn(reason: string): string | undefined {
  return Object.keys(unsafe).find((name) => reason === refusalOf(name))
}
