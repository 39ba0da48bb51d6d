/** Functions of sprig that do not belong into a gateway: they are there for templates that allow them by name. */
import type { FunctionSpec } from '../spec.ts'
import { certificates } from './certificates.ts'
import { environment } from './environment.ts'
import { lookups } from './lookup.ts'
import { passwords } from './passwords.ts'

const secrets = 'shows environment variables, which may be secrets, to whoever can write a rule'
const cost = 'takes a great deal of time on purpose, during which all other requests wait'
const keys = 'makes keys or certificates, which takes long and leaves them in a token or header'

/** Why each is not simply there. */
const reasons: Readonly<Record<string, string>> = {
  env: secrets,
  expandenv: secrets,
  getHostByName: 'lets requests wait for the DNS',
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

export const unsafe: Readonly<Record<string, FunctionSpec>> = {
  ...environment,
  ...lookups,
  ...passwords,
  ...certificates,
}

/** Names of the functions that have to be allowed. */
export const unsafeFunctions: readonly string[] = Object.keys(reasons)

/** Why an unsafe function is refused; undefined when the name is not one of them. */
export function refusalOf(name: string): string | undefined {
  const reason = reasons[name]
  return reason === undefined
    ? undefined
    : `function ${JSON.stringify(name)} is refused: it ${reason}; it must be allowed by name`
}

/** Of a refusal's reason: the function that could be allowed by name. */
export function allowableIn(reason: string): string | undefined {
  return unsafeFunctions.find((name) => reason === refusalOf(name))
}
