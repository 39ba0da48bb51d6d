/** Functions that templates have only when they are allowed, judged by other programs where what they make is random. */

import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  compileTemplate,
  type Host,
  TemplateExecError,
  TemplateSuspended,
  unsafeFunctions,
} from '../../../src/languages/gotemplate/index.ts'

const render = (source: string, data: object = {}, host: Partial<Host> = {}): string =>
  compileTemplate(source, { functions: unsafeFunctions, host }).render(data as never)

describe('unsafe functions', () => {
  it.each(unsafeFunctions)('%s is refused unless it is allowed', (name) => {
    expect(() => compileTemplate(`{{ ${name} }}`)).toThrow(`function "${name}" is refused: it `)
    expect(() => compileTemplate(`{{ ${name} }}`, { functions: [name] })).not.toThrow('refused')
  })
})

describe('passwords', () => {
  // The salt is the random part: zeros give the same hash as any other bcrypt does for them.
  const host = { randomBytes: (length: number) => new Uint8Array(length) }

  it.each([
    ['{{ bcrypt "secret" }}', /^\$2a\$10\$\.{21}\.[./A-Za-z0-9]{31}$/],
    ['{{ htpasswd "alice" "secret" }}', /^alice:\$2a\$10\$/],
    ['{{ htpasswd "a:b" "secret" }}', /^invalid username: a:b$/],
    [`{{ bcrypt "${'x'.repeat(73)}" }}`, /exceeds 72 bytes/],
  ])('%s', (source, expected) => {
    expect(render(source, {}, host)).toMatch(expected)
  })

  it('bcrypt hashes as others do', () => {
    const salt = Buffer.from('144b3d691a7b4ecf39cf735c7fa7a79c', 'hex')
    expect(render('{{ bcrypt "U*U" }}', {}, { randomBytes: () => salt })).toBe(
      '$2a$10$DCq7YPn5Rq63x1Lad4cll.I1dQxI6sbB.6bFhHRUp5gXAGR/pM9Ka',
    )
  })

  it.each([
    ['1 "long" "password" "user" "example.com"', 'ZedaFaxcZaso9*'],
    ['2 "long" "password" "user" "example.com"', 'Fovi2@JifpTupx'],
    ['1 "maximum" "password" "user" "example.com"', 'pf4zS1LjCg&LjhsZ7T2~'],
    ['1 "medium" "password" "user" "example.com"', 'ZedJuz8$'],
    ['1 "basic" "password" "user" "example.com"', 'pIS54PLs'],
    ['1 "short" "password" "user" "example.com"', 'Zed5'],
    ['1 "pin" "password" "user" "example.com"', '6685'],
    ['1 "toString" "password" "user" "example.com"', 'cannot find password template toString'],
  ])('derivePassword %s', (args, expected) => {
    expect(render(`{{ derivePassword ${args} }}`)).toBe(expected)
  })

  it('encryptAES and decryptAES undo each other, and a wrong password is an error', () => {
    const encrypted = render('{{ encryptAES "key" .text }}', { text: 'é plain' })
    expect(render('{{ decryptAES "key" .text }}', { text: encrypted })).toBe('é plain')
    expect(render('{{ decryptAES "key" "" }}{{ encryptAES "key" "" }}')).toBe('')
    expect(() => render('{{ decryptAES "key" "AAAA" }}')).toThrow(TemplateExecError)
  })
})

describe('what takes long', () => {
  it.each([
    ['{{ range until 1000 }}{{ bcrypt "a" }}{{ end }}'],
    ['{{ range until 1000 }}{{ htpasswd "a" "b" }}{{ end }}'],
    ['{{ range until 1000 }}{{ derivePassword 1 "pin" "a" "b" "c" }}{{ end }}'],
    ['{{ range until 1000 }}{{ $ca := genCA "a" 1 }}{{ end }}'],
    ['{{ bcrypt "a" }}{{ genPrivateKey "rsa" }}'],
    ['{{ bcrypt "a" }}{{ genPrivateKey "dsa" }}'],
  ])('is limited for one request: %s', { timeout: 30_000 }, (source) => {
    expect(() => render(source)).toThrow(/more keys and hashes of passwords/)
  })

  it('is enough for an authority and its certificate', { timeout: 30_000 }, () => {
    const source = '{{ $ca := genCA "ca" 1 }}{{ (genSignedCert "a" nil nil 1 $ca).Cert }}{{ genPrivateKey "ed25519" }}'
    expect(render(source)).toContain('-----BEGIN CERTIFICATE-----')
  })
})

describe('keys', () => {
  it.each([
    ['rsa', 'RSA PRIVATE KEY', 'rsa'],
    ['ecdsa', 'EC PRIVATE KEY', 'ec'],
    ['ed25519', 'PRIVATE KEY', 'ed25519'],
    ['dsa', 'DSA PRIVATE KEY', 'dsa'],
  ])(
    'genPrivateKey %s',
    (type, label, expected) => {
      const pem = render(`{{ genPrivateKey "${type}" }}`)
      expect(pem).toContain(`-----BEGIN ${label}-----`)
      expect(createPrivateKey(pem).asymmetricKeyType).toBe(expected)
    },
    60_000,
  )

  it('of a type that there is not', () => {
    expect(render('{{ genPrivateKey "__proto__" }}')).toBe('Unknown type __proto__')
  })
})

interface Made {
  readonly certificate: X509Certificate
  readonly key: string
}

function certificates(source: string, data: object = {}): Made[] {
  return render(source, data)
    .split('|')
    .map((part) => {
      const [cert = '', key = ''] = part.split('&')
      return { certificate: new X509Certificate(cert), key }
    })
}

const shown = '{{ $c.Cert }}&{{ $c.Key }}'

describe('certificates', () => {
  it.each(['ecdsa', 'ed25519', 'rsa'])(
    'an authority and what it signs, with a key of %s',
    (type) => {
      const [authority, signed] = certificates(
        `{{ $k := genPrivateKey "${type}" }}{{ $ca := genCAWithKey "My CA" 365 $k }}{{ $ca.Cert }}&{{ $ca.Key }}|` +
          `{{ $c := genSignedCertWithKey "app" (list "10.0.0.1" "fd00::1") (list "app.example.com") 30 $ca (genPrivateKey "ecdsa") }}${shown}`,
      ) as [Made, Made]
      expect(authority.certificate.ca).toBe(true)
      expect(authority.certificate.subject).toBe('CN=My CA')
      expect(authority.certificate.verify(authority.certificate.publicKey)).toBe(true)
      expect(signed.certificate.verify(createPublicKey(authority.key))).toBe(true)
      expect(signed.certificate.checkIssued(authority.certificate)).toBe(true)
      expect(signed.certificate.checkPrivateKey(createPrivateKey(signed.key))).toBe(true)
      expect(signed.certificate.subjectAltName).toBe(
        'DNS:app.example.com, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1',
      )
      const days = (signed.certificate.validToDate.getTime() - signed.certificate.validFromDate.getTime()) / 86_400_000
      expect(days).toBe(30)
    },
    60_000,
  )

  it('with keys of its own', () => {
    const [authority, signed, self] = certificates(
      `{{ $ca := genCA "ca" 1 }}{{ $ca.Cert }}&{{ $ca.Key }}|{{ $c := genSignedCert "a" nil nil 1 $ca }}${shown}|` +
        `{{ $c = genSelfSignedCert "" nil (list "é") 36500 }}${shown}`,
    ) as [Made, Made, Made]
    expect(signed.certificate.checkIssued(authority.certificate)).toBe(true)
    expect(self.certificate.verify(createPublicKey(self.key))).toBe(true)
    expect(self.certificate.validToDate.getUTCFullYear()).toBeGreaterThan(2100)
  }, 60_000)

  it('are taken as they are by buildCustomCert', () => {
    const [own] = certificates(
      `{{ $c := genSelfSignedCertWithKey "x" nil nil 1 (genPrivateKey "ecdsa") }}${shown}`,
    ) as [Made]
    const cert = Buffer.from(own.certificate.toString()).toString('base64')
    const key = Buffer.from(own.key).toString('base64')
    const [same] = certificates(`{{ $c := buildCustomCert .cert .key }}${shown}`, { cert, key }) as [Made]
    expect(same.certificate.fingerprint256).toBe(own.certificate.fingerprint256)
  })

  it.each([
    ['an address that is none', '{{ genSelfSignedCert "x" (list "nope") nil 1 }}'],
    ['addresses that are no list', '{{ genSelfSignedCert "x" "10.0.0.1" nil 1 }}'],
    ['an issuer that is none', '{{ genSignedCert "x" nil nil 1 (dict "Cert" "" "Key" "") }}'],
    ['a key that is none', '{{ genCAWithKey "x" 1 "nope" }}'],
    ['a key that cannot sign', '{{ genCAWithKey "x" 1 (genPrivateKey "dsa") }}'],
    ['a certificate that is none', '{{ buildCustomCert "AAAA" "AAAA" }}'],
  ])(
    '%s',
    (_, source) => {
      expect(() => render(source)).toThrow(TemplateExecError)
    },
    30_000,
  )
})

describe('getHostByName', () => {
  it('waits for the DNS, and then has an address of the host', async () => {
    const source = '{{ getHostByName .host }}'
    const template = compileTemplate(source, { functions: ['getHostByName'] })
    const attempt = (): unknown => {
      try {
        return template.render({ host: 'localhost' })
      } catch (error) {
        return error
      }
    }
    const first = attempt()
    if (first instanceof TemplateSuspended) await first.until
    expect(attempt()).toMatch(/^(127\.0\.0\.1|::1)$/)
  })

  it('fails for a host that the DNS does not know', () => {
    expect(() => render('{{ getHostByName "x" }}', {}, { lookup: () => [] })).toThrow('no address of this host')
  })
})
