/** As much of a browser as a login needs: cookies of one host, redirects, forms. */

export interface Visit {
  readonly url: string
  readonly status: number
  readonly body: string
  /** Every URL on the way, the last one included. */
  readonly trail: readonly string[]
}

export interface Browser {
  readonly open: (url: string, accept?: string) => Promise<Visit>
  readonly submit: (url: string, form: Readonly<Record<string, string>>) => Promise<Visit>
}

const mostRedirects = 10

export const createBrowser = (): Browser => {
  const cookies = new Map<string, string>()

  const keep = (setCookie: string): void => {
    const [pair = '', ...attributes] = setCookie.split(';')
    const separator = pair.indexOf('=')
    const name = pair.slice(0, separator).trim()
    if (attributes.some((attribute) => attribute.trim().toLowerCase() === 'max-age=0')) cookies.delete(name)
    else cookies.set(name, pair.slice(separator + 1))
  }

  const visit = async (start: string, accept: string, form?: URLSearchParams): Promise<Visit> => {
    const trail: string[] = []
    let url = start
    let body = form
    for (;;) {
      trail.push(url)
      const headers: Record<string, string> = { Accept: accept }
      if (cookies.size > 0) headers['Cookie'] = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const signal = AbortSignal.timeout(10_000)
      const response = await fetch(url, {
        headers,
        redirect: 'manual',
        signal,
        ...(body !== undefined && { method: 'POST', body }),
      })
      for (const line of response.headers.getSetCookie()) keep(line)
      const text = await response.text()
      const location = response.headers.get('location')
      if (location === null || response.status < 300 || response.status > 399) {
        return { url, status: response.status, body: text, trail }
      }
      if (trail.length > mostRedirects) throw new Error(`More than ${mostRedirects} redirects: ${trail.join(' → ')}`)
      url = new URL(location, url).href
      body = undefined
    }
  }

  return {
    open: (url, accept = 'text/html') => visit(url, accept),
    submit: (url, form) => visit(url, 'text/html', new URLSearchParams(form)),
  }
}
